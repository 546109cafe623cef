using Microsoft.Data.Sqlite;

namespace CcmFhir.Faults;

/// <summary>Another process has the store's file locked, as a backup tool or an admin's shell would: requests wait, then are refused for a time.</summary>
[Collection(FaultTable.OneAtATime)]
public sealed class LockedStoreTest(FaultTable table) : IDisposable
{
    private const int Rounds = 2;

    private readonly FaultScene scene = new("locked");

    [Fact]
    public async Task A_lock_of_another_process_is_waited_for_and_then_refused_for_a_time()
    {
        var load = new CareLoad(patients: 40, rounds: 4);
        await scene.SendAsync(
            load,
            clients: 8,
            Rounds,
            async _ =>
            {
                load.Allow(20);
                await load.AnswersAsync(20);
                using var other = new SqliteConnection($"Data Source={scene.Store};Pooling=False");
                other.Open();
                using (var reading = other.BeginTransaction(deferred: true))
                {
                    // A reader that never ends keeps the log from being copied back; nobody else notices.
                    Run(other, reading, "SELECT count(*) FROM entry");
                    load.Allow(20);
                    await load.AnswersAsync(20);
                }
                using var writing = other.BeginTransaction(deferred: false);
                load.Allow(8);
                await load.RefusalsAsync(4);
                await writing.RollbackAsync(TestContext.Current.CancellationToken);
                await load.AnswersAsync(8);
            }
        );
        await scene.StartAsync();

        table.Report(
            "database locked by another process",
            Rounds,
            load.Refusals,
            load.Acknowledged.Count,
            await new Invariants(scene, load).CheckAsync()
        );
    }

    /// <inheritdoc/>
    public void Dispose() => scene.Dispose();

    private static void Run(SqliteConnection connection, SqliteTransaction transaction, string sql)
    {
        using var command = connection.CreateCommand();
        (command.Transaction, command.CommandText) = (transaction, sql);
        _ = command.ExecuteScalar();
    }
}

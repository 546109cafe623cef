using Microsoft.Data.Sqlite;

namespace CcmFhir.Journal;

/// <summary>A connection with its statements kept ready. Used by one caller at a time; thrown away after a fault.</summary>
internal abstract class SqliteJournalConnection : IDisposable
{
    private readonly List<SqliteStatement> prepared = [];

    /// <summary>Opens it; parameters as for <see cref="SqliteJournalFile.Connect"/>.</summary>
    protected SqliteJournalConnection(string path, int cacheKiB, bool readOnly, int busyMilliseconds) =>
        Connection = SqliteJournalFile.Connect(path, cacheKiB, readOnly, busyMilliseconds);

    /// <summary>The connection.</summary>
    protected SqliteConnection Connection { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        prepared.ForEach(statement => statement.Dispose());
        // Closing rolls back what is open.
        Connection.Dispose();
    }

    /// <summary>Runs statements that answer nothing, while the connection is being made ready: on a fault it is closed.</summary>
    protected void Begin(string sql) =>
        OrClose(() =>
        {
            SqliteJournalFile.Run(Connection, sql);
            return true;
        });

    /// <summary>Keeps a statement ready; on a fault the connection is closed.</summary>
    protected SqliteStatement Prepare(string sql)
    {
        var statement = OrClose(() => new SqliteStatement(Connection, sql));
        prepared.Add(statement);
        return statement;
    }

    private T OrClose<T>(Func<T> run)
    {
        try
        {
            return run();
        }
        catch (SqliteException)
        {
            Dispose();
            throw;
        }
    }
}

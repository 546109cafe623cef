using System.Runtime.CompilerServices;
using Azure;
using Azure.Data.Tables;

namespace CcmFhir.Journal;

/// <summary>The few things that the index asks of a table, with the service's answers as values and its faults in our words.</summary>
/// <param name="table">The table.</param>
internal sealed class TableStorage(TableClient table)
{
    /// <summary>Most entities that one transaction takes.</summary>
    public const int LargestTransaction = 100;

    /// <summary>Name of the table, for messages.</summary>
    public string Name => table.Name;

    /// <summary>Makes the table when it is not there.</summary>
    public Task MakeAsync(CancellationToken cancel) =>
        GuardAsync(async () =>
        {
            await table.CreateIfNotExistsAsync(cancel);
            return true;
        });

    /// <summary>An entity; null when there is none.</summary>
    public Task<TableEntity?> GetAsync(string partition, string row, CancellationToken cancel) =>
        GuardAsync(async () =>
        {
            var answer = await table.GetEntityIfExistsAsync<TableEntity>(partition, row, cancellationToken: cancel);
            return answer.HasValue ? answer.Value : null;
        });

    /// <summary>Does all or nothing; false when an entity to be added is there already, or one to be replaced has changed.</summary>
    /// <param name="actions">Of one partition, each entity once, at most <see cref="LargestTransaction"/>.</param>
    /// <param name="cancel">Gives up.</param>
    public Task<bool> WriteAsync(IReadOnlyList<TableTransactionAction> actions, CancellationToken cancel) =>
        GuardAsync(async () =>
        {
            try
            {
                await table.SubmitTransactionAsync(actions, cancel);
                return true;
            }
            catch (RequestFailedException fault)
                when (fault.Status is 409 or 412 || fault.ErrorCode is "ResourceNotFound" or "EntityNotFound")
            {
                return false;
            }
        });

    /// <summary>Entities of a range of rows, in the order of partitions and rows.</summary>
    /// <param name="partition">Their partition; null for all.</param>
    /// <param name="from">First row; null for the first there is.</param>
    /// <param name="below">First row that is not meant any more; null for none.</param>
    /// <param name="cancel">Gives up.</param>
    public async IAsyncEnumerable<TableEntity> ListAsync(
        string? partition,
        string? from,
        string? below,
        [EnumeratorCancellation] CancellationToken cancel
    )
    {
        var parts = new List<string>();
        if (partition is not null)
        {
            parts.Add(TableClient.CreateQueryFilter($"PartitionKey eq {partition}"));
        }
        if (from is not null)
        {
            parts.Add(TableClient.CreateQueryFilter($"RowKey ge {from}"));
        }
        if (below is not null)
        {
            parts.Add(TableClient.CreateQueryFilter($"RowKey lt {below}"));
        }
        var pages = table
            .QueryAsync<TableEntity>(string.Join(" and ", parts), cancellationToken: cancel)
            .GetAsyncEnumerator(cancel);
        await using (pages)
        {
            while (await GuardAsync(() => pages.MoveNextAsync().AsTask()))
            {
                yield return pages.Current;
            }
        }
    }

    private Task<T> GuardAsync<T>(Func<Task<T>> call) => StorageFaults.GuardAsync($"index table '{Name}'", call);
}

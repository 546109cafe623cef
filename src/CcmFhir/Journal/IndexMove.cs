using System.Text;
using Azure.Data.Tables;

namespace CcmFhir.Journal;

/// <summary>The first release kept the index as one blob a key, in a container of its own beside the journal's. Who opens such a journal moves the index to
/// the table, once; the blobs stay as they are.</summary>
internal static class IndexMove
{
    private const int AtOnce = 1000;

    /// <summary>Moves what there is to move.</summary>
    /// <param name="old">The container of the blobs; it may not be there.</param>
    /// <param name="table">The table.</param>
    /// <param name="index">The index in the table.</param>
    /// <param name="streams">Decide what was left undecided.</param>
    /// <param name="cancel">Gives up; what was moved is moved, the rest moves next time.</param>
    public static async Task RunAsync(
        BlobStorage old,
        TableStorage table,
        TableIndex index,
        BlobStreams streams,
        CancellationToken cancel
    )
    {
        if (await table.GetAsync(BlobNames.MovedPartition, BlobNames.MovedRow, cancel) is not null)
        {
            return;
        }
        var waiting = new List<IndexEntry>();
        if (await old.ExistsAsync(cancel))
        {
            await foreach (var blob in old.ListAsync(BlobNames.Index, cancel))
            {
                if (await ReadAsync(old, blob, streams, cancel) is { } entry)
                {
                    waiting.Add(entry);
                }
                if (waiting.Count >= AtOnce)
                {
                    await index.RewriteAsync(waiting, cancel);
                    waiting.Clear();
                }
            }
            await index.RewriteAsync(waiting, cancel);
        }
        // Who comes second finds it there.
        await table.WriteAsync(
            [
                new TableTransactionAction(
                    TableTransactionActionType.Add,
                    new TableEntity(BlobNames.MovedPartition, BlobNames.MovedRow)
                ),
            ],
            cancel
        );
    }

    // One that cannot be read is left behind: the index can be made anew from the streams.
    private static async Task<IndexEntry?> ReadAsync(
        BlobStorage old,
        ListedBlob blob,
        BlobStreams streams,
        CancellationToken cancel
    )
    {
        if (
            !blob.Facts.TryGetValue("k", out var key)
            || !blob.Facts.TryGetValue("v", out var value)
            || BlobText.Read(key) is not { } keyText
            || BlobText.Read(value) is not { } valueText
        )
        {
            return null;
        }
        if (
            !blob.Facts.TryGetValue("d", out var place)
            || BlobDecision.Parse(place) is not { } decision
            || await streams.DecideAsync(decision, fence: true, cancel) == true
        )
        {
            return new IndexEntry(keyText, valueText);
        }
        return await old.GetAsync(blob.Name, cancel) is { Content.IsEmpty: false } whole
            ? new IndexEntry(keyText, Encoding.UTF8.GetString(whole.Content.Span))
            : null;
    }
}

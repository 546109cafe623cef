using System.Runtime.CompilerServices;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;

namespace CcmFhir.Journal;

/// <summary>What happened to an append at a position.</summary>
internal enum BlobAppend
{
    /// <summary>The bytes stand where they were meant to.</summary>
    Done,

    /// <summary>The blob has another length: somebody appended, perhaps we ourselves in a try whose answer was lost.</summary>
    Elsewhere,

    /// <summary>There is no such blob.</summary>
    Missing,
}

/// <summary>A small blob as read.</summary>
internal sealed record SmallBlob(ETag Tag, IDictionary<string, string> Facts, ReadOnlyMemory<byte> Content);

/// <summary>A blob as listed.</summary>
internal sealed record ListedBlob(string Name, ETag Tag, long Length, IDictionary<string, string> Facts);

/// <summary>The few things that the blob journal asks of a container, with the service's answers as values and its faults in our words.</summary>
/// <param name="container">The container.</param>
internal sealed class BlobStorage(BlobContainerClient container)
{
    /// <summary>Name of the container, for messages.</summary>
    public string Name => container.Name;

    /// <summary>The container is there.</summary>
    public Task<bool> ExistsAsync(CancellationToken cancel) =>
        GuardAsync(async () => (await container.ExistsAsync(cancel)).Value);

    /// <summary>Makes the container when it is not there.</summary>
    public Task MakeAsync(CancellationToken cancel) =>
        GuardAsync(async () =>
        {
            if (!(await container.ExistsAsync(cancel)).Value)
            {
                await container.CreateIfNotExistsAsync(cancellationToken: cancel);
            }
            return true;
        });

    /// <summary>Makes an empty append blob; false when there is one already.</summary>
    public Task<bool> CreateAsync(string name, IDictionary<string, string> facts, CancellationToken cancel) =>
        GuardAsync(async () =>
        {
            try
            {
                await container
                    .GetAppendBlobClient(name)
                    .CreateAsync(
                        new AppendBlobCreateOptions
                        {
                            Metadata = facts,
                            Conditions = new AppendBlobRequestConditions { IfNoneMatch = ETag.All },
                        },
                        cancel
                    );
                return true;
            }
            catch (RequestFailedException fault) when (fault.Status is 409 or 412)
            {
                return false;
            }
        });

    /// <summary>Appends one block, if the blob is exactly so long.</summary>
    public Task<BlobAppend> AppendAsync(string name, byte[] block, long at, CancellationToken cancel) =>
        GuardAsync(async () =>
        {
            try
            {
                using var content = new MemoryStream(block, writable: false);
                await container
                    .GetAppendBlobClient(name)
                    .AppendBlockAsync(
                        content,
                        new AppendBlobAppendBlockOptions
                        {
                            Conditions = new AppendBlobRequestConditions { IfAppendPositionEqual = at },
                        },
                        cancel
                    );
                return BlobAppend.Done;
            }
            catch (RequestFailedException fault) when (fault.Status is 412)
            {
                return BlobAppend.Elsewhere;
            }
            catch (RequestFailedException fault) when (fault.ErrorCode == BlobErrorCode.BlobNotFound)
            {
                return BlobAppend.Missing;
            }
        });

    /// <summary>Bytes from an offset, at most so many; null when there is no such blob, empty when it ends there or before.</summary>
    public Task<ReadOnlyMemory<byte>?> ReadAsync(string name, long from, long? most, CancellationToken cancel) =>
        GuardAsync<ReadOnlyMemory<byte>?>(async () =>
        {
            try
            {
                var whole = from == 0 && most is null;
                var answer = await container
                    .GetBlobClient(name)
                    .DownloadContentAsync(
                        new BlobDownloadOptions { Range = whole ? default : new HttpRange(from, most) },
                        cancel
                    );
                return answer.Value.Content.ToMemory();
            }
            catch (RequestFailedException fault) when (fault.ErrorCode == BlobErrorCode.BlobNotFound)
            {
                return null;
            }
            catch (RequestFailedException fault) when (fault.Status == 416)
            {
                return ReadOnlyMemory<byte>.Empty;
            }
        });

    /// <summary>Writes a small blob, if there is none; with a tag, if it still has that tag.</summary>
    public Task<bool> PutAsync(
        string name,
        ReadOnlyMemory<byte> content,
        IDictionary<string, string> facts,
        ETag? replaces,
        CancellationToken cancel
    ) =>
        GuardAsync(async () =>
        {
            try
            {
                await container
                    .GetBlobClient(name)
                    .UploadAsync(
                        new BinaryData(content),
                        new BlobUploadOptions
                        {
                            Metadata = facts,
                            Conditions = replaces is { } tag
                                ? new BlobRequestConditions { IfMatch = tag }
                                : new BlobRequestConditions { IfNoneMatch = ETag.All },
                        },
                        cancel
                    );
                return true;
            }
            catch (RequestFailedException fault)
                when (fault.Status is 409 or 412 || fault.ErrorCode == BlobErrorCode.BlobNotFound)
            {
                return false;
            }
        });

    /// <summary>A small blob whole; null when there is none.</summary>
    public Task<SmallBlob?> GetAsync(string name, CancellationToken cancel) =>
        GuardAsync<SmallBlob?>(async () =>
        {
            try
            {
                var answer = (await container.GetBlobClient(name).DownloadContentAsync(cancel)).Value;
                return new SmallBlob(answer.Details.ETag, answer.Details.Metadata, answer.Content.ToMemory());
            }
            catch (RequestFailedException fault) when (fault.ErrorCode == BlobErrorCode.BlobNotFound)
            {
                return null;
            }
        });

    /// <summary>Blobs whose name starts so, with what is written on them, in the order of their names.</summary>
    public async IAsyncEnumerable<ListedBlob> ListAsync(
        string prefix,
        [EnumeratorCancellation] CancellationToken cancel
    )
    {
        var pages = container
            .GetBlobsAsync(BlobTraits.Metadata, BlobStates.None, prefix, cancel)
            .GetAsyncEnumerator(cancel);
        await using (pages)
        {
            while (await GuardAsync(() => pages.MoveNextAsync().AsTask()))
            {
                var blob = pages.Current;
                yield return new ListedBlob(
                    blob.Name,
                    blob.Properties.ETag ?? default,
                    blob.Properties.ContentLength ?? 0,
                    blob.Metadata
                );
            }
        }
    }

    private Task<T> GuardAsync<T>(Func<Task<T>> call) => StorageFaults.GuardAsync($"container '{Name}'", call);
}

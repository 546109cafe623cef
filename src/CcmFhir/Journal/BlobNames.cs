using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace CcmFhir.Journal;

/// <summary>Names of the journal's blobs and rows: keyed hashes, since names leak into logs and metrics, and what they stand for must not.</summary>
/// <param name="key">The store's key.</param>
internal sealed class BlobNames(byte[] key)
{
    /// <summary>Says what the container is; never renamed.</summary>
    public const string Marker = "journal";

    /// <summary>Where streams lie.</summary>
    public const string Streams = "s/";

    /// <summary>Where the index lay in the first release.</summary>
    public const string Index = "i/";

    /// <summary>Partition of the row that says that the index of the first release was moved.</summary>
    public const string MovedPartition = "-";

    /// <summary>That row.</summary>
    public const string MovedRow = "moved";

    /// <summary>Where payloads lie that are too large for a block.</summary>
    public const string Payloads = "p/";

    // Deeper segments stay in the last part: a name is limited.
    private const int DeepestFolder = 8;

    /// <summary>What stands for a stream's name.</summary>
    public string Stream(string name) => Hash("stream", name, 20);

    /// <summary>One segment of a stream.</summary>
    public static string Segment(string stream, int segment) =>
        string.Create(CultureInfo.InvariantCulture, $"{Streams}{stream}/{segment:00000}");

    /// <summary>A payload beside its stream.</summary>
    public string Payload(string stream, ReadOnlySpan<byte> content) =>
        $"{Payloads}{stream}/{Hash("payload", Convert.ToHexStringLower(content), 20)}";

    /// <summary>Partition of an index key: its practice, the second part of keys with three parts and more, so that a commit's keys lie in one.</summary>
    public string Partition(string indexKey) => PartitionOf(indexKey) ?? Hash("partition", "", 8);

    /// <summary>The partition that holds every key with that prefix; null when there may be several.</summary>
    public string? PartitionOf(string prefix)
    {
        var first = prefix.IndexOf('/', StringComparison.Ordinal);
        var second = first < 0 ? -1 : prefix.IndexOf('/', first + 1);
        return second < 0 ? null : Hash("partition", prefix[(first + 1)..second], 8);
    }

    /// <summary>Row of an index key: a hash for each part of the key, so that a prefix can be listed.</summary>
    public string Row(string indexKey) => $"{Folder(indexKey)}{Hash("key", indexKey, 20)}";

    /// <summary>The rows that hold every key with that prefix, and perhaps others: from the first, below the second; null where nothing bounds.</summary>
    public (string? From, string? Below) Rows(string prefix)
    {
        var folder = Folder(prefix);
        // '.' comes next after '-'.
        return folder.Length == 0 ? (null, null) : (folder, folder[..^1] + ".");
    }

    private string Folder(string prefix)
    {
        var folder = new StringBuilder();
        var end = -1;
        for (var depth = 0; depth < DeepestFolder; depth++)
        {
            end = prefix.IndexOf('/', end + 1);
            if (end < 0)
            {
                break;
            }
            folder.Append(Hash("folder", prefix[..end], 8)).Append('-');
        }
        return folder.ToString();
    }

    private string Hash(string kind, string text, int bytes) =>
        Convert.ToHexStringLower(HMACSHA256.HashData(key, Encoding.UTF8.GetBytes($"{kind}\n{text}")).AsSpan(0, bytes));
}

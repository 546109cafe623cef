using System.Text;
using System.Text.Json;

namespace CcmFhir.Validation;

/// <summary>What a JSON value is.</summary>
public enum JsonKind : byte
{
    /// <summary>There is no value (a property that is not there).</summary>
    None,

    /// <summary>A JSON object.</summary>
    Object,

    /// <summary>A JSON array.</summary>
    Array,

    /// <summary>A JSON string.</summary>
    String,

    /// <summary>A JSON number, kept as written.</summary>
    Number,

    /// <summary>true.</summary>
    True,

    /// <summary>false.</summary>
    False,

    /// <summary>null.</summary>
    Null,
}

/// <summary>Bounds on what is read at all, so that a hostile document gets an answer in bounded time and memory.</summary>
/// <param name="MaxBytes">Largest document in bytes, inclusive.</param>
/// <param name="MaxDepth">Deepest nesting of objects and arrays, inclusive.</param>
/// <param name="MaxNodes">Most values in one document, inclusive.</param>
public sealed record FhirJsonLimits(int MaxBytes = 100 * 1024 * 1024, int MaxDepth = 64, int MaxNodes = 20_000_000)
{
    /// <summary>The limits that the server and the command line use.</summary>
    public static FhirJsonLimits Default { get; } = new();
}

/// <summary>Why a document could not be read as JSON, and where.</summary>
/// <param name="Rule">Stable rule id, e.g. <c>json-syntax</c>, <c>json-depth</c>, <c>json-size</c>.</param>
/// <param name="Text">What is wrong and what would be right.</param>
/// <param name="Offset">Byte offset of the fault in the source.</param>
/// <param name="Line">Line, from 1.</param>
/// <param name="Column">Column in characters, from 1.</param>
public sealed record JsonFault(string Rule, string Text, int Offset, int Line, int Column);

/// <summary>One JSON document as a flat tree over its own UTF-8 bytes: every value knows where it stands in the source.
/// Immutable after parsing; safe to read from many threads.</summary>
public sealed class FhirJson
{
    private readonly byte[] source;
    private readonly Node[] nodes;
    private int[]? lineStarts;

    private FhirJson(byte[] source, Node[] nodes, int count, IReadOnlyList<JsonFault> faults)
    {
        this.source = source;
        this.nodes = nodes;
        Count = count;
        Faults = faults;
    }

    /// <summary>Number of values in the document.</summary>
    public int Count { get; }

    /// <summary>The outermost value.</summary>
    public FhirElement Root => new(this, 0);

    /// <summary>Faults that left a readable tree, such as a property that stands twice.</summary>
    public IReadOnlyList<JsonFault> Faults { get; }

    /// <summary>The bytes the document was read from (without a byte order mark).</summary>
    public ReadOnlyMemory<byte> Source => source;

    internal ReadOnlySpan<Node> Nodes => nodes.AsSpan(0, Count);

    /// <summary>Reads a document. On a fault that leaves nothing to read, the result is null and <paramref name="fault"/> says why.</summary>
    /// <param name="utf8">The document; the array is kept, so it must not change afterwards.</param>
    /// <param name="fault">Null when the document could be read.</param>
    /// <param name="limits">Bounds; null for <see cref="FhirJsonLimits.Default"/>.</param>
    public static FhirJson? Parse(byte[] utf8, out JsonFault? fault, FhirJsonLimits? limits = null)
    {
        ArgumentNullException.ThrowIfNull(utf8);
        limits ??= FhirJsonLimits.Default;
        if (utf8.Length > limits.MaxBytes)
        {
            fault = new JsonFault(
                "json-size",
                $"The document has {utf8.Length} bytes; at most {limits.MaxBytes} are read.",
                0,
                1,
                1
            );
            return null;
        }
        if (utf8 is [0xEF, 0xBB, 0xBF, ..])
        {
            utf8 = utf8[3..];
        }
        var tree = new Node[Math.Max(16, utf8.Length / 24)];
        var count = 0;
        var open = new int[limits.MaxDepth + 1];
        var depth = 0;
        int nameStart = 0,
            nameLength = 0;
        var nameEscaped = false;
        var reader = new Utf8JsonReader(utf8, new JsonReaderOptions { MaxDepth = limits.MaxDepth });
        try
        {
            while (reader.Read())
            {
                var start = (int)reader.TokenStartIndex;
                switch (reader.TokenType)
                {
                    case JsonTokenType.PropertyName:
                        nameStart = start + 1;
                        nameLength = reader.ValueSpan.Length;
                        nameEscaped = reader.ValueIsEscaped;
                        continue;
                    case JsonTokenType.EndObject or JsonTokenType.EndArray:
                        depth--;
                        ref var closed = ref tree[open[depth]];
                        closed.Length = start + 1 - closed.Start;
                        closed.Next = count;
                        continue;
                    default:
                        break;
                }
                if (count == limits.MaxNodes)
                {
                    fault = Fault(utf8, "json-size", $"The document has more than {limits.MaxNodes} values.", start);
                    return null;
                }
                if (count == tree.Length)
                {
                    Array.Resize(ref tree, tree.Length * 2);
                }
                ref var node = ref tree[count];
                node.NameStart = nameStart;
                node.NameLength = nameLength;
                node.NameEscaped = nameEscaped;
                node.Start = start;
                node.Parent = depth == 0 ? -1 : open[depth - 1];
                nameLength = 0;
                nameEscaped = false;
                node.Kind = reader.TokenType switch
                {
                    JsonTokenType.StartObject => JsonKind.Object,
                    JsonTokenType.StartArray => JsonKind.Array,
                    JsonTokenType.String => JsonKind.String,
                    JsonTokenType.Number => JsonKind.Number,
                    JsonTokenType.True => JsonKind.True,
                    JsonTokenType.False => JsonKind.False,
                    _ => JsonKind.Null,
                };
                if (node.Kind is JsonKind.Object or JsonKind.Array)
                {
                    open[depth++] = count;
                }
                else
                {
                    node.Escaped = reader.ValueIsEscaped;
                    node.Length = (int)reader.BytesConsumed - start;
                    node.Next = count + 1;
                }
                count++;
            }
        }
        catch (JsonException fail)
        {
            var rule = fail.Message.Contains("maximum configured depth", StringComparison.Ordinal)
                ? "json-depth"
                : "json-syntax";
            fault = Fault(utf8, rule, fail.Message, (int)Math.Min(reader.BytesConsumed, utf8.Length));
            return null;
        }
        fault = null;
        return new FhirJson(utf8, tree, count, []);
    }

    /// <summary>Line and column (both from 1, the column in characters) of a byte offset of <see cref="Source"/>.</summary>
    public (int Line, int Column) Position(int offset)
    {
        var starts = lineStarts ??= LineStarts(source);
        var line = Array.BinarySearch(starts, offset);
        line = line < 0 ? ~line - 1 : line;
        return (line + 1, Encoding.UTF8.GetCharCount(source, starts[line], offset - starts[line]) + 1);
    }

    private static JsonFault Fault(byte[] utf8, string rule, string text, int offset)
    {
        var starts = LineStarts(utf8);
        var line = Array.BinarySearch(starts, offset);
        line = line < 0 ? ~line - 1 : line;
        return new JsonFault(
            rule,
            text,
            offset,
            line + 1,
            Encoding.UTF8.GetCharCount(utf8, starts[line], offset - starts[line]) + 1
        );
    }

    private static int[] LineStarts(ReadOnlySpan<byte> utf8)
    {
        var starts = new List<int> { 0 };
        for (var at = 0; ; )
        {
            var next = utf8[at..].IndexOf((byte)'\n');
            if (next < 0)
            {
                return [.. starts];
            }
            at += next + 1;
            starts.Add(at);
        }
    }

    internal struct Node
    {
        public int NameStart;
        public int NameLength;
        public int Start;
        public int Length;
        public int Next;
        public int Parent;
        public JsonKind Kind;
        public bool Escaped;
        public bool NameEscaped;
    }
}

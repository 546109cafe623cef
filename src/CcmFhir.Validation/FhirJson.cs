using System.Buffers;
using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

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
public sealed record FhirJsonLimits(int MaxBytes = 100 * 1024 * 1024, int MaxDepth = 64, int MaxNodes = 10_000_000)
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
    private ResourceMap? resources;
    private (int Offset, int Line, int Column)[]? origin;

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

    /// <summary>Some property name is written with escapes, so that its bytes are not its text.</summary>
    internal bool HasEscapedNames { get; private init; }

    /// <summary>True when positions are those of another document (XML) that this was made from.</summary>
    internal bool HasOrigin => origin is not null;

    /// <summary>The resources in it and what references between them point at; made when first asked for.</summary>
    internal ResourceMap Resources => resources ??= new ResourceMap(Root);

    /// <summary>Index of the first value behind an element and everything in it.</summary>
    internal int EndOf(FhirElement element) => nodes[element.Index].Next;

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
        if (utf8 is [0xFF, 0xFE, ..] or [0xFE, 0xFF, ..] or [0, ..] or [_, 0, ..])
        {
            fault = new JsonFault("json-encoding", "This is UTF-16 or UTF-32; FHIR is exchanged in UTF-8.", 0, 1, 1);
            return null;
        }
        if (!Utf8.IsValid(utf8))
        {
            fault = Fault(
                utf8,
                "json-encoding",
                "The bytes here are not UTF-8; FHIR is exchanged in UTF-8.",
                ValidPrefix(utf8)
            );
            return null;
        }
        var tree = new Node[Math.Min(Math.Max(16, utf8.Length / 24), limits.MaxNodes)];
        var count = 0;
        var open = new int[limits.MaxDepth + 1];
        var depth = 0;
        int nameStart = 0,
            nameLength = 0;
        bool nameEscaped = false,
            anyNameEscaped = false;
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
                        anyNameEscaped |= nameEscaped;
                        if (nameEscaped && !IsDecodable(reader.ValueSpan))
                        {
                            fault = Fault(utf8, "json-surrogate", LoneSurrogate, start);
                            return null;
                        }
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
                    Array.Resize(ref tree, (int)Math.Min(tree.Length * 2L, limits.MaxNodes));
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
                    if (node.Escaped && !IsDecodable(reader.ValueSpan))
                    {
                        fault = Fault(utf8, "json-surrogate", LoneSurrogate, start);
                        return null;
                    }
                    node.Length = (int)reader.BytesConsumed - start;
                    node.Next = count + 1;
                }
                count++;
            }
        }
        catch (JsonException fail)
        {
            var at = (int)Math.Min(reader.BytesConsumed, utf8.Length);
            fault =
                fail.Message.Contains("maximum configured depth", StringComparison.Ordinal)
                    ? Fault(
                        utf8,
                        "json-depth",
                        $"Objects and arrays are nested deeper than {limits.MaxDepth} levels here.",
                        at
                    )
                : at < utf8.Length && utf8[at] == '/'
                    ? Fault(utf8, "json-comment", "JSON has no comments; leave it out.", at)
                : Fault(utf8, "json-syntax", "This is not JSON: " + Reason(fail), at);
            return null;
        }
        fault = null;
        return new FhirJson(utf8, tree, count, []) { HasEscapedNames = anyNameEscaped };
    }

    /// <summary>The same tree with its places in the document that it was made from (XML).</summary>
    /// <param name="map">Offset in this JSON, then line and column there; ascending by offset.</param>
    /// <param name="faults">What was wrong in the original.</param>
    internal FhirJson WithOrigin((int Offset, int Line, int Column)[] map, IReadOnlyList<JsonFault> faults) =>
        new(source, nodes, Count, faults) { origin = map, HasEscapedNames = HasEscapedNames };

    /// <summary>Line and column (both from 1, the column in characters) of a byte offset of <see cref="Source"/>.</summary>
    public (int Line, int Column) Position(int offset)
    {
        if (origin is not null)
        {
            var at = Array.BinarySearch(origin, (offset, int.MaxValue, int.MaxValue));
            at = at < 0 ? ~at - 1 : at;
            return at < 0 ? (1, 1) : (origin[at].Line, origin[at].Column);
        }
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

    private const string LoneSurrogate =
        "A \\u escape here is one half of a surrogate pair without its other half; no text can hold that.";

    /// <summary>False when a \u escape is a lone half of a surrogate pair. The reader has checked the form of escapes already.</summary>
    private static bool IsDecodable(ReadOnlySpan<byte> escaped)
    {
        var highWaits = false;
        for (var at = 0; at < escaped.Length; )
        {
            var unit = 0;
            if (escaped[at] == '\\' && escaped[at + 1] == 'u')
            {
                _ = Utf8Parser.TryParse(escaped.Slice(at + 2, 4), out unit, out _, 'x');
                at += 6;
            }
            else
            {
                at += escaped[at] == '\\' ? 2 : 1;
            }
            var isLow = unit is >= 0xDC00 and <= 0xDFFF;
            if (highWaits != isLow)
            {
                return false;
            }
            highWaits = unit is >= 0xD800 and <= 0xDBFF;
        }
        return !highWaits;
    }

    private static int ValidPrefix(ReadOnlySpan<byte> utf8)
    {
        var at = 0;
        while (Rune.DecodeFromUtf8(utf8[at..], out _, out var length) == OperationStatus.Done)
        {
            at += length;
        }
        return at;
    }

    /// <summary>The parser's own words without its place (a line counted from 0, a column in bytes), which would contradict ours.</summary>
    private static string Reason(JsonException fail)
    {
        var text = fail.Message;
        var place = text.IndexOf(" LineNumber:", StringComparison.Ordinal);
        return place < 0 ? text : text[..place];
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

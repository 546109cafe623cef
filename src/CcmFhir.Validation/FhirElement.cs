using System.Text;
using System.Text.Json;

namespace CcmFhir.Validation;

/// <summary>One value of a <see cref="FhirJson"/>: a cheap handle, passed by value. <c>default</c> is the value that is not there.</summary>
/// <param name="document">The document.</param>
/// <param name="index">Index of the value in the document, in document order; the root is 0.</param>
public readonly struct FhirElement(FhirJson document, int index) : IEquatable<FhirElement>
{
    /// <summary>The document that the value stands in.</summary>
    public FhirJson Document => document;

    /// <summary>Index in document order.</summary>
    public int Index => index;

    /// <summary>False for a property that is not there.</summary>
    public bool Exists => document is not null;

    /// <summary>What the value is.</summary>
    public JsonKind Kind => document is null ? JsonKind.None : Node.Kind;

    /// <summary>Byte offset of the value's first byte in <see cref="FhirJson.Source"/>.</summary>
    public int Offset => Node.Start;

    /// <summary>Length of the value in bytes, quotes and brackets included.</summary>
    public int Length => Node.Length;

    /// <summary>The value as it stands in the source, quotes and brackets included.</summary>
    public ReadOnlySpan<byte> Raw => document.Source.Span.Slice(Node.Start, Node.Length);

    /// <summary>The property name as it stands in the source (escapes not resolved); empty for items of an array and the root.</summary>
    public ReadOnlySpan<byte> NameUtf8 => document.Source.Span.Slice(Node.NameStart, Node.NameLength);

    /// <summary>The property name; empty for items of an array and the root.</summary>
    public string Name =>
        Node.NameEscaped
            ? Unescape(document.Source.Span.Slice(Node.NameStart - 1, Node.NameLength + 2))
            : Encoding.UTF8.GetString(NameUtf8);

    /// <summary>The value that holds this one; not there for the root.</summary>
    public FhirElement Parent => Node.Parent < 0 ? default : new FhirElement(document, Node.Parent);

    /// <summary>Line and column of the value, both from 1.</summary>
    public (int Line, int Column) Position => document.Position(Node.Start);

    /// <summary>A string decoded; a number, true or false as written; null for anything else.</summary>
    public string? Text =>
        Kind switch
        {
            JsonKind.String when Node.Escaped => Unescape(Raw),
            JsonKind.String => Encoding.UTF8.GetString(Raw[1..^1]),
            JsonKind.Number or JsonKind.True or JsonKind.False => Encoding.UTF8.GetString(Raw),
            _ => null,
        };

    /// <summary>True when the string holds escapes, so that <see cref="Raw"/> is not its text.</summary>
    internal bool IsEscaped => Node.Escaped;

    /// <summary>True when the name holds escapes, so that <see cref="NameUtf8"/> is not its text.</summary>
    internal bool IsNameEscaped => Node.NameEscaped;

    private ref readonly FhirJson.Node Node => ref document.Nodes[index];

    /// <summary>The first property of that name, or the value that is not there.</summary>
    public FhirElement this[ReadOnlySpan<byte> name]
    {
        get
        {
            if (Kind != JsonKind.Object)
            {
                return default;
            }
            foreach (var child in Children)
            {
                if (child.NameUtf8.SequenceEqual(name))
                {
                    return child;
                }
            }
            return document.HasEscapedNames ? Escaped(name) : default;
        }
    }

    private FhirElement Escaped(ReadOnlySpan<byte> name)
    {
        foreach (var child in Children)
        {
            if (child.IsNameEscaped && Encoding.UTF8.GetBytes(child.Name).AsSpan().SequenceEqual(name))
            {
                return child;
            }
        }
        return default;
    }

    /// <summary>The first property of that name (FHIR names are ASCII), or the value that is not there.</summary>
    public FhirElement this[string name]
    {
        get
        {
            Span<byte> utf8 = stackalloc byte[Encoding.UTF8.GetMaxByteCount(name.Length)];
            return this[utf8[..Encoding.UTF8.GetBytes(name, utf8)]];
        }
    }

    /// <summary>The properties of an object or the items of an array, in document order; none for a primitive.</summary>
    public ChildSequence Children => new(document, index);

    /// <summary>The items when this is an array, else the value itself when it is there: FHIR's "one or many" read alike.</summary>
    public ChildSequence Items => Kind == JsonKind.Array ? Children : new ChildSequence(document, index, self: true);

    /// <summary>True when it is a string of exactly these (unescaped) bytes.</summary>
    public bool Is(ReadOnlySpan<byte> text) =>
        Kind == JsonKind.String
        && (Node.Escaped ? Encoding.UTF8.GetBytes(Text!).AsSpan().SequenceEqual(text) : Raw[1..^1].SequenceEqual(text));

    private static string Unescape(ReadOnlySpan<byte> quoted)
    {
        var reader = new Utf8JsonReader(quoted);
        reader.Read();
        return reader.GetString()!;
    }

    /// <inheritdoc/>
    public bool Equals(FhirElement other) => ReferenceEquals(document, other.Document) && index == other.Index;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is FhirElement other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(document, index);

    /// <summary>Same value of the same document.</summary>
    public static bool operator ==(FhirElement left, FhirElement right) => left.Equals(right);

    /// <summary>Not the same value of the same document.</summary>
    public static bool operator !=(FhirElement left, FhirElement right) => !left.Equals(right);

    /// <summary>Children in document order; a struct, so that <c>foreach</c> allocates nothing.</summary>
    public readonly struct ChildSequence
    {
        private readonly FhirJson? document;
        private readonly int first;
        private readonly int end;

        internal ChildSequence(FhirJson? document, int index, bool self = false)
        {
            this.document = document;
            if (document is null)
            {
                return;
            }
            ref readonly var node = ref document.Nodes[index];
            (first, end) = self
                ? (index, node.Next)
                : (index + 1, node.Kind is JsonKind.Object or JsonKind.Array ? node.Next : index + 1);
        }

        /// <summary>For <c>foreach</c>.</summary>
        public Enumerator GetEnumerator() => new(document, first, end);

        /// <summary>Walks the children.</summary>
        public struct Enumerator
        {
            private readonly FhirJson? document;
            private readonly int end;
            private int next;

            internal Enumerator(FhirJson? document, int first, int end)
            {
                this.document = document;
                next = first;
                this.end = end;
                Current = default;
            }

            /// <summary>The child reached.</summary>
            public FhirElement Current { get; private set; }

            /// <summary>Goes to the next child; false when there is none.</summary>
            public bool MoveNext()
            {
                if (next >= end)
                {
                    return false;
                }
                Current = new FhirElement(document!, next);
                next = document!.Nodes[next].Next;
                return true;
            }
        }
    }
}

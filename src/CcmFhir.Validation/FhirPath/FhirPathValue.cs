using System.Globalization;
using System.Text;

namespace CcmFhir.Validation.FhirPath;

/// <summary>What a <see cref="FhirPathValue"/> is.</summary>
public enum FhirPathKind : byte
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>An element of the document.</summary>
    Element,

    /// <summary>System.Boolean.</summary>
    Boolean,

    /// <summary>System.Integer.</summary>
    Integer,

    /// <summary>System.Decimal.</summary>
    Decimal,

    /// <summary>System.String.</summary>
    String,

    /// <summary>System.Date.</summary>
    Date,

    /// <summary>System.DateTime.</summary>
    DateTime,

    /// <summary>System.Time.</summary>
    Time,

    /// <summary>System.Quantity.</summary>
    Quantity,
}

/// <summary>One item of a FHIRPath collection: an element of the document, or a computed value. A small struct; nothing is copied out of the document
/// until it is asked for.</summary>
public readonly record struct FhirPathValue
{
    private const int NoElement = -1;
    private const int NotLookedFor = -2;

    // Of an element: its document, its type when known, its index and that of its _sibling. Of a computed value: the value.
    private readonly FhirJson? document;
    private readonly object? detail;
    private readonly long bits;

    private FhirPathValue(FhirPathKind kind, FhirJson? document, object? detail, long bits)
    {
        Kind = kind;
        this.document = document;
        this.detail = detail;
        this.bits = bits;
    }

    /// <summary>An element of the document or a computed value, and of which type.</summary>
    public FhirPathKind Kind { get; }

    /// <summary>The element in the document; the value that is not there for a computed value, and for a primitive that has only extensions.</summary>
    public FhirElement Element =>
        Kind == FhirPathKind.Element && (int)bits >= 0 ? new FhirElement(document!, (int)bits) : default;

    /// <summary>The object that holds id and extensions of a primitive (<c>_birthDate</c>); not there when there is none.</summary>
    public FhirElement Sibling
    {
        get
        {
            if (Kind != FhirPathKind.Element)
            {
                return default;
            }
            var sibling = (int)(bits >> 32);
            return sibling >= 0 ? new FhirElement(document!, sibling)
                : sibling == NotLookedFor ? FindSibling(Element)
                : default;
        }
    }

    /// <summary>The FHIR type of an element where it is known.</summary>
    public TypeShape? Type => Kind == FhirPathKind.Element ? detail as TypeShape : null;

    /// <summary>Name of the type: <c>Patient</c>, <c>code</c>, <c>System.Boolean</c>; null for an element whose type is not known.</summary>
    public string? TypeName => Kind is FhirPathKind.Element or FhirPathKind.None ? Type?.Name : "System." + Kind;

    /// <summary>A string, number, date or boolean as FHIRPath's <c>toString()</c> gives it; null when there is no such value.</summary>
    public string? Text =>
        Kind switch
        {
            FhirPathKind.Element => Element.Text,
            FhirPathKind.Boolean => bits != 0 ? "true" : "false",
            FhirPathKind.Integer => bits.ToString(CultureInfo.InvariantCulture),
            FhirPathKind.None => null,
            _ => Convert.ToString(detail, CultureInfo.InvariantCulture),
        };

    /// <summary>The object whose properties are the children: the element itself, or the sibling of a primitive.</summary>
    internal FhirElement Holder
    {
        get
        {
            var element = Element;
            return element.Kind == JsonKind.Object ? element : Sibling;
        }
    }

    /// <summary>The system type that the value counts as; None for a complex element and a primitive without value.</summary>
    internal FhirPathKind SystemKind
    {
        get
        {
            if (Kind != FhirPathKind.Element)
            {
                return Kind;
            }
            var json = Element.Kind;
            var declared = (detail as TypeShape)?.System ?? FhirPathKind.None;
            return json switch
            {
                JsonKind.String => declared is FhirPathKind.Date or FhirPathKind.DateTime or FhirPathKind.Time
                    ? declared
                    : FhirPathKind.String,
                JsonKind.True or JsonKind.False => FhirPathKind.Boolean,
                JsonKind.Number => declared is FhirPathKind.Integer or FhirPathKind.Decimal ? declared
                : Element.Raw.IndexOfAny((byte)'.', (byte)'e', (byte)'E') < 0 ? FhirPathKind.Integer
                : FhirPathKind.Decimal,
                JsonKind.Object when declared == FhirPathKind.Quantity => declared,
                _ => FhirPathKind.None,
            };
        }
    }

    /// <summary>An element of a document.</summary>
    /// <param name="element">The element; default for a primitive that has only extensions.</param>
    /// <param name="type">Its FHIR type where it is known.</param>
    /// <param name="sibling">For a primitive, the <c>_name</c> object; default to have it looked for when it is needed.</param>
    public static FhirPathValue Of(FhirElement element, TypeShape? type = null, FhirElement sibling = default) =>
        element.Exists
            ? new(
                FhirPathKind.Element,
                element.Document,
                type,
                Pack(element.Index, sibling.Exists ? sibling.Index : NotLookedFor)
            )
        : sibling.Exists ? new(FhirPathKind.Element, sibling.Document, type, Pack(NoElement, sibling.Index))
        : default;

    internal static FhirPathValue Of(bool value) => new(FhirPathKind.Boolean, null, null, value ? 1 : 0);

    internal static FhirPathValue Of(long value) => new(FhirPathKind.Integer, null, null, value);

    internal static FhirPathValue Of(decimal value) => new(FhirPathKind.Decimal, null, value, 0);

    internal static FhirPathValue Of(string value) => new(FhirPathKind.String, null, value, 0);

    internal static FhirPathValue Of(Temporal value) => new(value.Kind, null, value, 0);

    internal static FhirPathValue Of(Quantity value) => new(FhirPathKind.Quantity, null, value, 0);

    internal bool IsTrue => Kind == FhirPathKind.Boolean ? bits != 0 : Element.Kind == JsonKind.True;

    internal bool TryLong(out long value)
    {
        value = bits;
        return Kind == FhirPathKind.Integer
            || (
                Kind == FhirPathKind.Element
                && Element.Kind == JsonKind.Number
                && long.TryParse(Element.Raw, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value)
            );
    }

    internal bool TryDecimal(out decimal value)
    {
        switch (Kind)
        {
            case FhirPathKind.Integer:
                value = bits;
                return true;
            case FhirPathKind.Decimal:
                value = (decimal)detail!;
                return true;
            default:
                value = 0;
                return Element.Kind == JsonKind.Number
                    && decimal.TryParse(Element.Raw, NumberStyles.Float, CultureInfo.InvariantCulture, out value);
        }
    }

    /// <summary>A string's text; null for anything that is not a string.</summary>
    internal string? AsString() => SystemKind == FhirPathKind.String ? Text : null;

    internal bool TryTemporal(out Temporal value)
    {
        if (detail is Temporal temporal)
        {
            value = temporal;
            return true;
        }
        var element = Element;
        if (element.Kind == JsonKind.String)
        {
            // Many writers escape the plus sign of an offset.
            var text = element.IsEscaped ? Encoding.UTF8.GetBytes(element.Text!) : element.Raw[1..^1];
            return Temporal.TryParse(text, SystemKind, out value);
        }
        value = default;
        return Kind == FhirPathKind.String
            && Temporal.TryParse(Encoding.UTF8.GetBytes((string)detail!), FhirPathKind.String, out value);
    }

    internal Quantity? AsQuantity() =>
        detail is Quantity quantity ? quantity
        : SystemKind == FhirPathKind.Quantity ? Quantity.Read(Element)
        : TryDecimal(out var number) ? new Quantity(number, "1", isUcum: true)
        : null;

    private static long Pack(int element, int sibling) => ((long)sibling << 32) | (uint)element;

    /// <summary>The object beside a primitive: <c>_name</c> of the same object, or the item of the same place in it.</summary>
    private static FhirElement FindSibling(FhirElement element)
    {
        if (!element.Exists || element.Kind == JsonKind.Object)
        {
            return default;
        }
        var parent = element.Parent;
        var place = 0;
        var property = element;
        if (parent.Kind == JsonKind.Array)
        {
            foreach (var item in parent.Children)
            {
                if (item == element)
                {
                    break;
                }
                place++;
            }
            property = parent;
            parent = parent.Parent;
        }
        if (parent.Kind != JsonKind.Object)
        {
            return default;
        }
        var name = property.NameUtf8;
        foreach (var other in parent.Children)
        {
            var otherName = other.NameUtf8;
            if (otherName.Length == name.Length + 1 && otherName[0] == (byte)'_' && otherName[1..].SequenceEqual(name))
            {
                if (property == element)
                {
                    return other.Kind == JsonKind.Object ? other : default;
                }
                foreach (var item in other.Children)
                {
                    if (place-- == 0)
                    {
                        return item.Kind == JsonKind.Object ? item : default;
                    }
                }
            }
        }
        return default;
    }
}

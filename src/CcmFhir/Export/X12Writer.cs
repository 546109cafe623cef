using System.Globalization;
using System.Text;

namespace CcmFhir.Export;

/// <summary>Writes X12 segments. Delimiters are those that nearly every clearinghouse expects: <c>*</c> element, <c>:</c> component, <c>^</c> repetition, <c>~</c> segment.
/// Text is turned into the basic and extended character set of X12; a delimiter within a value becomes a space.</summary>
internal sealed class X12Writer
{
    private readonly StringBuilder text = new();
    private int segments;

    /// <summary>Segments since <see cref="CountFromHere"/>, the next one not included.</summary>
    public int Segments => segments;

    /// <summary>The next segment is number 1 (ST).</summary>
    public void CountFromHere() => segments = 0;

    /// <summary>Writes one segment; empty elements at its end are left out.</summary>
    /// <param name="id">Segment id.</param>
    /// <param name="elements">Elements; null is empty. Composite elements come from <see cref="Composite"/>.</param>
    public void Segment(string id, params ReadOnlySpan<object?> elements)
    {
        var last = elements.Length;
        while (last > 0 && (elements[last - 1] is null or "" or Parts { Text: "" }))
        {
            last--;
        }
        text.Append(id);
        foreach (var element in elements[..last])
        {
            text.Append('*');
            text.Append(
                element switch
                {
                    null => "",
                    Parts parts => parts.Text,
                    decimal amount => amount.ToString("0.##", CultureInfo.InvariantCulture),
                    IFormattable value => Clean(value.ToString(null, CultureInfo.InvariantCulture)),
                    _ => Clean(element.ToString()!),
                }
            );
        }
        text.Append("~\n");
        segments++;
    }

    /// <summary>The interchange header: its fields have fixed widths and its delimiters are not cleaned away.</summary>
    public void Raw(string segment)
    {
        text.Append(segment).Append("~\n");
        segments++;
    }

    /// <summary>A composite element.</summary>
    public static Parts Composite(params ReadOnlySpan<object?> components)
    {
        var last = components.Length;
        while (last > 0 && components[last - 1] is null or "")
        {
            last--;
        }
        var joined = new StringBuilder();
        for (var at = 0; at < last; at++)
        {
            joined
                .Append(at == 0 ? "" : ":")
                .Append(Clean(Convert.ToString(components[at], CultureInfo.InvariantCulture) ?? ""));
        }
        return new Parts(joined.ToString());
    }

    /// <inheritdoc/>
    public override string ToString() => text.ToString();

    /// <summary>Accents fall away (X12's character set has none), delimiters and control characters become spaces.</summary>
    public static string Clean(string value)
    {
        var clean = new StringBuilder(value.Length);
        foreach (var c in value.Normalize(NormalizationForm.FormD))
        {
            if (CharUnicodeInfo.GetUnicodeCategory(c) == UnicodeCategory.NonSpacingMark)
            {
                continue;
            }
            clean.Append(c is '*' or ':' or '^' or '~' or < ' ' or > '~' ? ' ' : c);
        }
        return clean.ToString().Trim();
    }

    /// <summary>A composite, ready to be written.</summary>
    /// <param name="Text">Components joined.</param>
    internal sealed record Parts(string Text);
}

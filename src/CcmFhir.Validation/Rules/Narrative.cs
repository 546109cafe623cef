using System.Collections.Frozen;
using System.Net;
using System.Text;
using System.Xml;

namespace CcmFhir.Validation.Rules;

/// <summary>Narrative.div: well-formed XHTML of the elements and attributes that R4 allows (invariants txt-1 and txt-2), without scripts.
/// One pass over the text; nesting is bounded, entities are never expanded.</summary>
internal static class Narrative
{
    /// <summary>Deepest nesting of elements.</summary>
    public const int MaxDepth = 200;

    private static readonly FrozenSet<string> Elements = FrozenSet.Create(
        StringComparer.Ordinal,
        [
            .. (
                "a abbr acronym address area b bdo big blockquote br caption cite code col colgroup dd del dfn div dl dt em "
                + "h1 h2 h3 h4 h5 h6 hr i img ins kbd li map ol p pre q s samp small span strike strong sub sup "
                + "table tbody td tfoot th thead tr tt u ul var"
            ).Split(' '),
        ]
    );

    private static readonly FrozenSet<string> Attributes = FrozenSet.Create(
        StringComparer.Ordinal,
        [
            .. (
                "abbr accesskey align alt axis border cellpadding cellspacing char charoff charset cite class colspan coords "
                + "datetime dir frame headers height href hreflang id ismap lang longdesc name nohref nowrap rel rev rowspan rules "
                + "scope shape space span src start style summary tabindex title type usemap valign value width xml:lang xml:space xmlns"
            ).Split(' '),
        ]
    );

    private static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> KnownElements =
        Elements.GetAlternateLookup<ReadOnlySpan<char>>();

    private static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> KnownAttributes =
        Attributes.GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>Reports the first fault.</summary>
    public static void Check(Walk walk, FhirElement div, ReadOnlySpan<byte> text)
    {
        if (Problem(text) is { } problem)
        {
            walk.Add(Severity.Error, "invariant", problem.Rule, div, problem.Text);
        }
    }

    /// <summary>What is wrong with a narrative; null when nothing is.</summary>
    public static (string Rule, string Text)? Problem(ReadOnlySpan<byte> text)
    {
        Span<Range> open = stackalloc Range[MaxDepth];
        var depth = 0;
        var isDone = false;
        var hasContent = false;
        for (var at = 0; at < text.Length; )
        {
            if (text[at] != '<')
            {
                var run = text[at..].IndexOf((byte)'<');
                var characters = run < 0 ? text[at..] : text.Slice(at, run);
                if (Characters(characters) is { } bad)
                {
                    return bad;
                }
                if (characters.IndexOfAnyExcept(" \t\r\n"u8) >= 0)
                {
                    if (depth == 0)
                    {
                        return ("txt-1", "The narrative is one <div> element; there is text outside of it.");
                    }
                    hasContent = true;
                }
                at += characters.Length;
                continue;
            }
            var rest = text[at..];
            if (rest.StartsWith("<!--"u8))
            {
                var end = rest.IndexOf("-->"u8);
                if (end < 0)
                {
                    return ("txt-1", "A comment is not closed.");
                }
                at += end + 3;
                continue;
            }
            if (rest.StartsWith("<?"u8) || rest.StartsWith("<!"u8))
            {
                return ("txt-1", "Processing instructions, document types and CDATA are not allowed in a narrative.");
            }
            if (rest.StartsWith("</"u8))
            {
                var end = rest.IndexOf((byte)'>');
                if (end < 0)
                {
                    return ("txt-1", "A closing tag is not finished.");
                }
                var closing = rest[2..end].TrimEnd(" \t\r\n"u8);
                if (depth == 0 || !text[open[depth - 1]].SequenceEqual(closing))
                {
                    return (
                        "txt-1",
                        $"</{Shown(closing)}> closes an element that is not open here"
                            + (depth > 0 ? $"; <{Shown(text[open[depth - 1]])}> is." : ".")
                    );
                }
                depth--;
                isDone = depth == 0;
                at += end + 1;
                continue;
            }
            var nameEnd = 1;
            while (nameEnd < rest.Length && IsName(rest[nameEnd]))
            {
                nameEnd++;
            }
            var name = rest[1..nameEnd];
            if (Tag(rest, nameEnd, depth == 0, out var tagLength, out var isEmpty) is { } fault)
            {
                return fault;
            }
            if (depth == 0 && (isDone || !name.SequenceEqual("div"u8)))
            {
                return ("txt-1", "The narrative is one <div> element.");
            }
            if (!Known(KnownElements, name))
            {
                return (
                    "txt-1",
                    $"<{Shown(name)}> is not allowed in a narrative; basic formatting, lists, tables, links and images are."
                );
            }
            hasContent |= name.SequenceEqual("img"u8);
            if (!isEmpty)
            {
                if (depth == MaxDepth)
                {
                    return ("txt-1", $"Elements are nested deeper than {MaxDepth} levels.");
                }
                open[depth++] = (at + 1)..(at + nameEnd);
            }
            else
            {
                isDone |= depth == 0;
            }
            at += tagLength;
        }
        return depth > 0 ? ("txt-1", $"<{Shown(text[open[depth - 1]])}> is not closed.")
            : !isDone ? ("txt-1", "The narrative is one <div> element.")
            : !hasContent ? ("txt-2", "The narrative says nothing: it needs text or an image.")
            : null;
    }

    private static (string, string)? Tag(ReadOnlySpan<byte> tag, int at, bool isRoot, out int length, out bool isEmpty)
    {
        length = 0;
        isEmpty = false;
        var hasNamespace = false;
        while (true)
        {
            var spaceStart = at;
            while (at < tag.Length && PrimitiveFormat.IsSpace(tag[at]))
            {
                at++;
            }
            if (at >= tag.Length)
            {
                return ("txt-1", "A tag is not finished.");
            }
            if (tag[at] == '>' || (tag[at] == '/' && at + 1 < tag.Length && tag[at + 1] == '>'))
            {
                isEmpty = tag[at] == '/';
                length = at + (isEmpty ? 2 : 1);
                return isRoot && !hasNamespace
                    ? ("txt-1", "The <div> needs its namespace: <div xmlns=\"http://www.w3.org/1999/xhtml\">.")
                    : null;
            }
            var nameStart = at;
            while (at < tag.Length && (IsName(tag[at]) || tag[at] == ':'))
            {
                at++;
            }
            var name = tag[nameStart..at];
            while (at < tag.Length && PrimitiveFormat.IsSpace(tag[at]))
            {
                at++;
            }
            if (name.IsEmpty || spaceStart == nameStart || at >= tag.Length || tag[at] != '=')
            {
                return ("txt-1", "A tag is not well-formed XHTML: attributes are written name=\"value\".");
            }
            at++;
            while (at < tag.Length && PrimitiveFormat.IsSpace(tag[at]))
            {
                at++;
            }
            var quote = at < tag.Length ? tag[at] : (byte)0;
            var end = quote is (byte)'"' or (byte)'\'' ? tag[(at + 1)..].IndexOf(quote) : -1;
            if (end < 0)
            {
                return ("txt-1", $"The value of the attribute {Shown(name)} is not in quotes.");
            }
            var value = tag.Slice(at + 1, end);
            at += end + 2;
            if (value.Contains((byte)'<'))
            {
                return ("txt-1", $"The value of the attribute {Shown(name)} holds '<'; write &lt;.");
            }
            if (Characters(value) is { } bad)
            {
                return bad;
            }
            if (!Known(KnownAttributes, name))
            {
                return ("txt-1", $"The attribute {Shown(name)} is not allowed in a narrative.");
            }
            if (name.SequenceEqual("xmlns"u8))
            {
                hasNamespace = true;
                if (!value.SequenceEqual("http://www.w3.org/1999/xhtml"u8))
                {
                    return ("txt-1", "The namespace of the narrative is http://www.w3.org/1999/xhtml.");
                }
            }
            else if (IsScript(name, value))
            {
                return ("txt-1", $"The attribute {Shown(name)} holds a script; a narrative has none.");
            }
        }
    }

    private static bool IsScript(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        if (!name.SequenceEqual("href"u8) && !name.SequenceEqual("src"u8))
        {
            return false;
        }
        // Browsers skip white space and read entities before the scheme: keep only what they would keep.
        Span<byte> plain = stackalloc byte[12];
        var length = 0;
        foreach (var one in value)
        {
            if (one == '&')
            {
                // No scheme that is wanted is written with entities.
                return value.Contains((byte)'#')
                    && length < 11
                    && value.IndexOf((byte)';') is > 0 and < 60
                    && !value.StartsWith("http"u8)
                    && !value.StartsWith("#"u8);
            }
            if (one > 0x20 && length < plain.Length)
            {
                plain[length++] = (byte)char.ToLowerInvariant((char)one);
            }
        }
        return plain[..length].StartsWith("javascript:"u8) || plain[..length].StartsWith("vbscript:"u8);
    }

    private static (string, string)? Characters(ReadOnlySpan<byte> text)
    {
        while (text.IndexOf((byte)'&') is >= 0 and var at)
        {
            text = text[(at + 1)..];
            var end = text.IndexOf((byte)';');
            if (end is < 1 or > 10 || text[..end].IndexOfAnyExcept(EntityCharacters) >= 0)
            {
                return ("txt-1", "An ampersand begins an entity such as &amp;; on its own it is written &amp;.");
            }
            if (!IsEntity(text[..end]))
            {
                return ("txt-1", $"&{Shown(text[..end])}; is no entity of XHTML and no character of XML.");
            }
            text = text[end..];
        }
        return null;
    }

    /// <summary>A name of HTML 4, or the number of a character that XML has.</summary>
    private static bool IsEntity(ReadOnlySpan<byte> name)
    {
        // Those that are in nearly every narrative; the rest is asked of a table.
        if (
            name.SequenceEqual("nbsp"u8)
            || name.SequenceEqual("amp"u8)
            || name.SequenceEqual("lt"u8)
            || name.SequenceEqual("gt"u8)
            || name.SequenceEqual("quot"u8)
        )
        {
            return true;
        }
        var decoded = WebUtility.HtmlDecode($"&{Encoding.ASCII.GetString(name)};");
        return decoded is [var one]
            ? XmlConvert.IsXmlChar(one)
            : decoded is [var high, var low] && char.IsSurrogatePair(high, low);
    }

    private static readonly System.Buffers.SearchValues<byte> EntityCharacters = System.Buffers.SearchValues.Create(
        "#0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8
    );

    private static bool Known(FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> set, ReadOnlySpan<byte> name)
    {
        Span<char> characters = stackalloc char[16];
        if (name.Length > characters.Length)
        {
            return false;
        }
        for (var at = 0; at < name.Length; at++)
        {
            characters[at] = (char)name[at];
        }
        return set.Contains(characters[..name.Length]);
    }

    private static bool IsName(byte one) => char.IsAsciiLetterOrDigit((char)one) || one is (byte)'-' or (byte)'_';

    private static string Shown(ReadOnlySpan<byte> name) =>
        Encoding.UTF8.GetString(name.Length > 40 ? name[..40] : name);
}

using System.Text;

namespace CcmFhir.Validation.Terminology;

/// <summary>Language tags (urn:ietf:bcp:47): the syntax of RFC 5646 with the subtags of IANA's registry.</summary>
/// <param name="languages">Registered primary language subtags.</param>
/// <param name="regions">Registered region subtags.</param>
/// <param name="scripts">Registered script subtags.</param>
/// <param name="variants">Registered variant subtags.</param>
/// <param name="whole">Grandfathered tags, which follow no syntax.</param>
internal sealed class LanguageTags(
    IEnumerable<string> languages,
    IEnumerable<string> regions,
    IEnumerable<string> scripts,
    IEnumerable<string> variants,
    IEnumerable<string> whole
) : Codes
{
    private readonly Utf8Set languages = new(languages, ignoreCase: true);
    private readonly Utf8Set regions = new(regions, ignoreCase: true);
    private readonly Utf8Set scripts = new(scripts, ignoreCase: true);
    private readonly Utf8Set variants = new(variants, ignoreCase: true);
    private readonly Utf8Set whole = new(whole, ignoreCase: true);

    public override Membership Find(ReadOnlySpan<byte> code) => IsTag(code) ? Membership.In : Membership.NotIn;

    private bool IsTag(ReadOnlySpan<byte> tag)
    {
        if (whole.Contains(tag))
        {
            return true;
        }
        var rest = tag;
        var part = Next(ref rest);
        if (Ascii.EqualsIgnoreCase(part, "x"u8))
        {
            return ArePrivate(rest);
        }
        // qaa to qtz are for private use; the registry names only the range.
        if (
            !languages.Contains(part)
            && !(part.Length == 3 && part[0] is (byte)'q' or (byte)'Q' && part[1] is >= (byte)'a' and <= (byte)'t')
        )
        {
            return false;
        }
        part = Next(ref rest);
        for (var extended = 0; extended < 3 && part.Length == 3 && IsAlpha(part); extended++)
        {
            part = Next(ref rest);
        }
        if (part.Length == 4 && IsAlpha(part))
        {
            if (!scripts.Contains(part) && !Ascii.EqualsIgnoreCase(part[..2], "Qa"u8))
            {
                return false;
            }
            part = Next(ref rest);
        }
        if ((part.Length == 2 && IsAlpha(part)) || (part.Length == 3 && IsDigits(part)))
        {
            var isPrivate =
                Ascii.EqualsIgnoreCase(part, "AA"u8)
                || Ascii.EqualsIgnoreCase(part, "ZZ"u8)
                || part[0] is (byte)'X' or (byte)'x';
            if (!regions.Contains(part) && !isPrivate)
            {
                return false;
            }
            part = Next(ref rest);
        }
        while (part.Length is >= 5 and <= 8 || (part.Length == 4 && part[0] is >= (byte)'0' and <= (byte)'9'))
        {
            if (!variants.Contains(part))
            {
                return false;
            }
            part = Next(ref rest);
        }
        while (part.Length == 1)
        {
            if (part[0] is (byte)'x' or (byte)'X')
            {
                return ArePrivate(rest);
            }
            part = Next(ref rest);
            if (part.Length is < 2 or > 8)
            {
                return false;
            }
            while (part.Length is >= 2 and <= 8 && IsAlphanumeric(part))
            {
                part = Next(ref rest);
            }
        }
        return part.IsEmpty && rest.IsEmpty && tag[^1] != '-';
    }

    private static bool ArePrivate(ReadOnlySpan<byte> rest)
    {
        do
        {
            var part = Next(ref rest);
            if (part.Length is 0 or > 8 || !IsAlphanumeric(part))
            {
                return false;
            }
        } while (!rest.IsEmpty);
        return true;
    }

    private static ReadOnlySpan<byte> Next(ref ReadOnlySpan<byte> rest)
    {
        var dash = rest.IndexOf((byte)'-');
        var part = dash < 0 ? rest : rest[..dash];
        rest = dash < 0 ? [] : rest[(dash + 1)..];
        return part;
    }

    private static bool IsAlpha(ReadOnlySpan<byte> part)
    {
        foreach (var value in part)
        {
            if (!char.IsAsciiLetter((char)value))
            {
                return false;
            }
        }
        return true;
    }

    private static bool IsDigits(ReadOnlySpan<byte> part) => !part.ContainsAnyExceptInRange((byte)'0', (byte)'9');

    private static bool IsAlphanumeric(ReadOnlySpan<byte> part)
    {
        foreach (var value in part)
        {
            if (!char.IsAsciiLetterOrDigit((char)value))
            {
                return false;
            }
        }
        return true;
    }
}

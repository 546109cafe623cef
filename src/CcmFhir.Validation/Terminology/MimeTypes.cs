using System.Buffers;

namespace CcmFhir.Validation.Terminology;

/// <summary>MIME types (urn:ietf:bcp:13): the syntax of RFC 2045 and RFC 6838, never a list, since anybody may register one.
/// FHIR's own short forms for its formats count too, since CapabilityStatement.format is bound to this system and uses them.</summary>
internal sealed class MimeTypes : Codes
{
    private static readonly SearchValues<byte> NameBytes = SearchValues.Create(
        "!#$&-^_.+0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"u8
    );

    private static readonly SearchValues<byte> TokenBytes = SearchValues.Create(
        "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"u8
    );

    private static readonly Utf8Set Trees = new(
        [
            "application",
            "audio",
            "chemical",
            "example",
            "font",
            "haptics",
            "image",
            "message",
            "model",
            "multipart",
            "text",
            "video",
        ],
        ignoreCase: true
    );

    private static readonly Utf8Set ShortForms = new(["xml", "json", "ttl"]);

    public override Membership Find(ReadOnlySpan<byte> code) =>
        IsMimeType(code) || ShortForms.Contains(code) ? Membership.In : Membership.NotIn;

    public static bool IsMimeType(ReadOnlySpan<byte> code)
    {
        var semicolon = code.IndexOf((byte)';');
        var type = (semicolon < 0 ? code : code[..semicolon]).TrimEnd((byte)' ');
        var slash = type.IndexOf((byte)'/');
        if (slash <= 0 || slash == type.Length - 1)
        {
            return false;
        }
        var (top, sub) = (slash, slash + 1);
        return (
                Trees.Contains(type[..top])
                || (type[..top].StartsWith("x-"u8) && !type[..top].ContainsAnyExcept(NameBytes))
            )
            && !type[sub..].ContainsAnyExcept(NameBytes)
            && (semicolon < 0 || AreParameters(code[(semicolon + 1)..]));
    }

    private static bool AreParameters(ReadOnlySpan<byte> text)
    {
        while (true)
        {
            text = text.Trim((byte)' ');
            var equal = text.IndexOf((byte)'=');
            if (equal <= 0 || text[..equal].ContainsAnyExcept(TokenBytes))
            {
                return false;
            }
            text = text[(equal + 1)..];
            int end;
            if (text is [(byte)'"', ..])
            {
                end = 1;
                while (end < text.Length && text[end] != '"')
                {
                    end += text[end] == '\\' ? 2 : 1;
                }
                if (end >= text.Length)
                {
                    return false;
                }
                end++;
            }
            else
            {
                // RFC 2045 wants quotes around a slash or a space; R4's own examples leave them out (variant=DICOM QIDO-RS).
                end = text.IndexOf((byte)';');
                end = end < 0 ? text.Length : end;
                if (
                    end == 0
                    || text[..end].ContainsAnyExceptInRange((byte)' ', (byte)'~')
                    || text[..end].Contains((byte)'"')
                )
                {
                    return false;
                }
            }
            text = text[end..].TrimStart((byte)' ');
            if (text.IsEmpty)
            {
                return true;
            }
            if (text[0] != ';')
            {
                return false;
            }
            text = text[1..];
        }
    }
}

using System.Net;
using System.Text;
using System.Text.Json;

namespace CcmFhir.Validation.FhirPath;

/// <summary><c>encode</c>, <c>decode</c>, <c>escape</c> and <c>unescape</c>.</summary>
internal static class Coding
{
    public static FhirPathValue Encode(in Frame frame, in FhirPathValue value, Node[] arguments) =>
        Apply(
            frame,
            value,
            arguments,
            static (text, format) =>
                format switch
                {
                    "hex" => Convert.ToHexStringLower(Encoding.UTF8.GetBytes(text)),
                    "base64" => Convert.ToBase64String(Encoding.UTF8.GetBytes(text)),
                    "urlbase64" => Convert
                        .ToBase64String(Encoding.UTF8.GetBytes(text))
                        .Replace('+', '-')
                        .Replace('/', '_'),
                    _ => null,
                }
        );

    public static FhirPathValue Decode(in Frame frame, in FhirPathValue value, Node[] arguments) =>
        Apply(
            frame,
            value,
            arguments,
            static (text, format) =>
                format switch
                {
                    "hex" => Encoding.UTF8.GetString(Convert.FromHexString(text)),
                    "base64" => Encoding.UTF8.GetString(Convert.FromBase64String(text)),
                    "urlbase64" => Encoding.UTF8.GetString(
                        Convert.FromBase64String(text.Replace('-', '+').Replace('_', '/'))
                    ),
                    _ => null,
                }
        );

    public static FhirPathValue Escape(in Frame frame, in FhirPathValue value, Node[] arguments) =>
        Apply(
            frame,
            value,
            arguments,
            static (text, format) =>
                format switch
                {
                    "html" => WebUtility.HtmlEncode(text),
                    "json" => JsonEncodedText.Encode(text).ToString(),
                    _ => null,
                }
        );

    public static FhirPathValue Unescape(in Frame frame, in FhirPathValue value, Node[] arguments) =>
        Apply(
            frame,
            value,
            arguments,
            static (text, format) =>
                format switch
                {
                    "html" => WebUtility.HtmlDecode(text),
                    "json" => JsonSerializer.Deserialize<string>($"\"{text}\""),
                    _ => null,
                }
        );

    private static FhirPathValue Apply(
        in Frame frame,
        in FhirPathValue value,
        Node[] arguments,
        Func<string, string, string?> body
    )
    {
        if (value.AsString() is not { } text || arguments[0].Text(frame) is not { } format)
        {
            return default;
        }
        frame.Context.Step(1 + (text.Length / 16));
        try
        {
            return body(text, format) is { } result ? FhirPathValue.Of(result) : default;
        }
        catch (Exception fault) when (fault is FormatException or JsonException or ArgumentException)
        {
            return default;
        }
    }
}

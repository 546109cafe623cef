using System.Text;

namespace CcmFhir.Journal;

/// <summary>Any text as the ASCII that may be written on a blob.</summary>
internal static class BlobText
{
    public static string Write(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    public static string? Read(string written)
    {
        try
        {
            return Encoding.UTF8.GetString(Convert.FromBase64String(written));
        }
        catch (FormatException)
        {
            return null;
        }
    }
}

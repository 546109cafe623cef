using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace CcmFhir.Intake;

/// <summary>Names of streams, and keys of the index that finds them. Everything of one practice stands below its slug.</summary>
internal static class JournalNames
{
    /// <summary>Stream of a patient.</summary>
    public static string PatientStream(string practice, string patient) => $"patient/{practice}/{patient}";

    /// <summary>Stream of a resource that belongs to no patient.</summary>
    public static string DirectoryStream(string practice, string type, string id) =>
        $"directory/{practice}/{type}/{id}";

    /// <summary>Logical id of the patient whose stream it is; null for another stream.</summary>
    public static string? PatientOf(string stream) =>
        stream.StartsWith("patient/", StringComparison.Ordinal) ? stream[(stream.LastIndexOf('/') + 1)..] : null;

    /// <summary>Key that leads from a resource to its stream.</summary>
    public static string Id(string practice, string type, string id) => $"id/{practice}/{type}/{id}";

    /// <summary>Prefix of all resources of a type.</summary>
    public static string Ids(string practice, string type) => $"id/{practice}/{type}/";

    /// <summary>Key that leads from an identifier's value to a resource's stream. The system is checked at the resource.</summary>
    public static string Identifier(string practice, string type, string value, string id) =>
        $"{Identifiers(practice, type, value)}{id}";

    /// <summary>Prefix of all resources of a type whose identifier has that value.</summary>
    public static string Identifiers(string practice, string type, string value) =>
        $"identifier/{practice}/{type}/{Part(value)}/";

    /// <summary>Key that reserves a conditional create: one resource for one query.</summary>
    public static string Unique(string practice, string type, string criteria) =>
        $"unique/{practice}/{type}/{Part(criteria)}";

    /// <summary>Key that says that a patient has care-management time in a month (of the practice's zone).</summary>
    public static string Month(string practice, int year, int month, string patient) =>
        string.Create(CultureInfo.InvariantCulture, $"month/{practice}/{year:0000}-{month:00}/{patient}");

    /// <summary>Key that says that a patient has a consent to a care-management program.</summary>
    public static string Enrolled(string practice, string patient) => $"enrolled/{practice}/{patient}";

    /// <summary>Key that leads from a word of a patient's name, folded, to the patient's stream.</summary>
    public static string Name(string practice, string word, string patient) => $"{Names(practice, word)}/{patient}";

    /// <summary>Prefix of all patients with a word that starts so.</summary>
    public static string Names(string practice, string start) => $"name/{practice}/{Part(start)}";

    /// <summary>Key that leads from a birth date to a patient's stream.</summary>
    public static string BirthDate(string practice, string date, string patient) =>
        $"{BirthDates(practice, date)}/{patient}";

    /// <summary>Prefix of all patients whose birth date starts so.</summary>
    public static string BirthDates(string practice, string start) => $"birthdate/{practice}/{Part(start)}";

    // One segment of a key: no slash in it, and short.
    private static string Part(string text)
    {
        var escaped = Uri.EscapeDataString(text);
        return escaped.Length <= 160
            ? escaped
            : string.Concat(
                escaped.AsSpan(0, 96),
                Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text))).AsSpan(0, 40)
            );
    }
}

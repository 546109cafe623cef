using CcmFhir.Domain;
using CcmFhir.Options;

namespace CcmFhir.Pages;

/// <summary>Addresses of the pages.</summary>
internal static class PageAddress
{
    /// <summary>A month's worklist.</summary>
    public static string Month(string practice, ServiceMonth month) => $"/{practice}/months/{month}";

    /// <summary>One patient's month.</summary>
    public static string Patient(string practice, string patient, ServiceMonth month) =>
        $"/{practice}/patients/{Uri.EscapeDataString(patient)}/{month}";

    /// <summary>One patient's month that is running now.</summary>
    public static string Patient(PracticeFile file, string patient, DateTimeOffset now) =>
        Patient(file.Practice.Slug, patient, ServiceMonth.Of(now, file.Practice.TimeZone));

    /// <summary>An address of our own to go on to, from a query string; the start page for anything else.</summary>
    public static string Local(string? wanted) =>
        wanted is ['/', ..] and not ['/', '/' or '\\', ..] && !wanted.Any(char.IsControl) && !wanted.Contains('\\')
            ? wanted
            : "/";
}

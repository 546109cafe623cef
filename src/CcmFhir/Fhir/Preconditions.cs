using System.Globalization;
using CcmFhir.Journal;

namespace CcmFhir.Fhir;

/// <summary>Headers that hold an interaction to a version, and their answers.</summary>
internal static class Preconditions
{
    /// <summary>ETag of a version.</summary>
    public static string ETag(string version) => $"W/\"{version}\"";

    /// <summary>Why an update, patch or delete may not go on: 400 for a header that cannot be read, 412 for another version.</summary>
    /// <param name="ifMatch">The header; null when there is none.</param>
    /// <param name="current">The version that stands; null when there is none.</param>
    /// <param name="reference">What it is about, for the text.</param>
    public static Refusal? IfMatch(string? ifMatch, StoredResource? current, string reference)
    {
        if (ifMatch is null)
        {
            return null;
        }
        if (Version(ifMatch) is not { } version)
        {
            return Refusal.Of(
                400,
                "value",
                "if-match",
                "If-Match holds one version as the ETag gave it, such as W/\"3\"."
            );
        }
        if (current is null || current.Deleted)
        {
            return Refusal.Of(
                412,
                "conflict",
                "if-match",
                $"{reference} is not there (any more), so it is not at version {version}."
            );
        }
        return version == "*" || current.VersionId == version
            ? null
            : Refusal.Of(
                412,
                "conflict",
                "if-match",
                $"{reference} is at version {current.VersionId}, not {version}. Read it again, and decide anew."
            );
    }

    /// <summary>The client has that version already: the answer is 304.</summary>
    public static bool NotModified(string? ifNoneMatch, string? ifModifiedSince, StoredResource current)
    {
        if (ifNoneMatch is not null)
        {
            foreach (var part in ifNoneMatch.Split(','))
            {
                if (Version(part.Trim()) is { } version && (version == "*" || version == current.VersionId))
                {
                    return true;
                }
            }
            // If-Modified-Since is not looked at beside If-None-Match (RFC 9110, 13.1.3).
            return false;
        }
        return ifModifiedSince is not null
            && DateTimeOffset.TryParse(
                ifModifiedSince,
                CultureInfo.InvariantCulture,
                DateTimeStyles.AssumeUniversal,
                out var since
            )
            // HTTP dates have whole seconds.
            && current.LastUpdated.ToUnixTimeSeconds() <= since.ToUnixTimeSeconds();
    }

    private static string? Version(string tag)
    {
        if (tag == "*")
        {
            return tag;
        }
        var bare = tag.StartsWith("W/", StringComparison.Ordinal) ? tag[2..] : tag;
        return
            bare.Length > 2 && bare[0] == '"' && bare[^1] == '"' && LogicalId.IsValid(bare.AsSpan(1, bare.Length - 2))
            ? bare[1..^1]
            : null;
    }
}

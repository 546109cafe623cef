using System.Text.Json;

namespace CcmFhir.Intake;

/// <summary>The practices there are, read from the practice files of a folder.</summary>
internal sealed class Receivers
{
    private readonly Dictionary<string, Receiver> bySlug;

    private Receivers(Dictionary<string, Receiver> bySlug) => this.bySlug = bySlug;

    /// <summary>A practice by its slug; null when there is none.</summary>
    public Receiver? Find(string slug) => bySlug.GetValueOrDefault(slug);

    /// <summary>Reads every <c>*.json</c> of a folder; a folder that is not there holds no practice.</summary>
    /// <exception cref="InvalidDataException">A file is no practice file.</exception>
    public static Receivers Read(string folder)
    {
        var found = new Dictionary<string, Receiver>(StringComparer.Ordinal);
        foreach (var file in Directory.Exists(folder) ? Directory.EnumerateFiles(folder, "*.json") : [])
        {
            try
            {
                using var document = JsonDocument.Parse(File.ReadAllBytes(file));
                var root = document.RootElement;
                var slug = root.GetProperty("slug").GetString()!;
                found.Add(
                    slug,
                    new Receiver(
                        slug,
                        TimeZoneInfo.FindSystemTimeZoneById(root.GetProperty("timeZone").GetString()!),
                        root.TryGetProperty("ehr", out var ehr) && ehr.TryGetProperty("baseUrl", out var url)
                            ? url.GetString()
                            : null
                    )
                );
            }
            catch (Exception fault)
                when (fault is JsonException or KeyNotFoundException or TimeZoneNotFoundException or ArgumentException)
            {
                throw new InvalidDataException(
                    $"{Path.GetFileName(file)} is no practice file: it needs a slug of its own and a timeZone (IANA).",
                    fault
                );
            }
        }
        return new Receivers(found);
    }
}

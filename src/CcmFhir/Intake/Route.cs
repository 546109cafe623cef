using CcmFhir.Fhir;
using CcmFhir.Validation;

namespace CcmFhir.Intake;

/// <summary>Finds the stream that each resource lives in: its patient's, or one of its own in the practice's directory.</summary>
internal static class Route
{
    /// <summary>Gives every write its stream.</summary>
    public static async ValueTask RunAsync(Attempt attempt, CancellationToken cancel)
    {
        var found = new List<FhirElement>();
        // What is said about other resources of the Bundle (Provenance) goes where those go, so it comes last.
        for (var round = 0; round < 2; round++)
        {
            foreach (var entry in attempt.Entries)
            {
                if (entry.Refused || entry.TargetId is null || entry.Verb == Verb.Get)
                {
                    continue;
                }
                if ((entry.Type is "Provenance" or "AuditEvent") == (round == 1))
                {
                    await OneAsync(attempt, entry, found, cancel);
                }
            }
        }
    }

    /// <summary>Id of the patient that a reference names; null when it names something else.</summary>
    public static string? PatientId(string reference)
    {
        const string Prefix = "Patient/";
        if (!reference.StartsWith(Prefix, StringComparison.Ordinal))
        {
            return null;
        }
        var rest = reference.AsSpan(Prefix.Length);
        var end = rest.IndexOfAny('/', '#');
        rest = end < 0 ? rest : rest[..end];
        return LogicalId.IsValid(rest) ? rest.ToString() : null;
    }

    private static async ValueTask OneAsync(
        Attempt attempt,
        Entry entry,
        List<FhirElement> found,
        CancellationToken cancel
    )
    {
        var (practice, id) = (attempt.Arrival.Practice.Slug, entry.TargetId!);
        if (OwnDefinitions.Holds(entry.Type, id) && !entry.Matched)
        {
            entry.Refuse(
                405,
                "not-supported",
                "own-definition",
                $"{entry.Type}/{id} is the server's own definition: it is read and searched, and nobody writes or changes it. Give yours another id."
            );
            return;
        }
        if (entry.Type == "Patient")
        {
            entry.Patient = id;
            entry.Stream = JournalNames.PatientStream(practice, id);
            return;
        }
        if (entry.Verb is Verb.Delete or Verb.Patch || entry.Matched)
        {
            entry.Stream =
                entry.SameAs?.Stream
                ?? await attempt.View.StreamOfAsync(entry.Type, id, cancel)
                ?? JournalNames.DirectoryStream(practice, entry.Type, id);
            entry.Patient = JournalNames.PatientOf(entry.Stream);
            return;
        }
        found.Clear();
        PatientCompartment.Collect(entry.Type, entry.Resource, found);
        foreach (var reference in found)
        {
            var text = reference.Text!;
            var target = attempt.Map.Target(text, entry.FullUrl) ?? text;
            if (PatientId(target) is { } patient)
            {
                entry.Patient = patient;
                entry.Stream = JournalNames.PatientStream(practice, patient);
                return;
            }
            if (target.StartsWith("urn:", StringComparison.Ordinal))
            {
                entry.Refuse(
                    422,
                    "not-found",
                    "reference-unresolved",
                    $"'{target}' is the fullUrl of no entry here, so nobody can know whom this is about. Send that entry in the same transaction, or refer to it as Type/id.",
                    ElementPath.Of(reference, entry.Resource, entry.ResourcePath),
                    reference
                );
                return;
            }
            if (
                entry.Type is "Provenance" or "AuditEvent"
                && await StreamOfAsync(attempt, target, cancel) is { } stream
                && JournalNames.PatientOf(stream) is { } about
            )
            {
                (entry.Patient, entry.Stream) = (about, stream);
                return;
            }
        }
        entry.Stream = JournalNames.DirectoryStream(practice, entry.Type, id);
    }

    private static async ValueTask<string?> StreamOfAsync(Attempt attempt, string reference, CancellationToken cancel)
    {
        foreach (var other in attempt.Entries)
        {
            if (other.Stream is { } stream && reference == $"{other.Type}/{other.TargetId}")
            {
                return stream;
            }
        }
        var parts = reference.Split('/');
        return parts.Length >= 2 && ResourceTypes.Find(parts[0]) is { } type && LogicalId.IsValid(parts[1])
            ? await attempt.View.StreamOfAsync(type, parts[1], cancel)
            : null;
    }
}

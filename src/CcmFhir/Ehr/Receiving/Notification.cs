using CcmFhir.Fhir;
using CcmFhir.Intake;
using CcmFhir.Validation;

namespace CcmFhir.Ehr.Receiving;

/// <summary>What an EHR's subscription tells: R4 rest-hook (a resource, or nothing), or a notification Bundle of the Subscriptions R5 Backport (full
/// resources, ids only, or nothing).</summary>
/// <param name="Resources">Resources that came along.</param>
/// <param name="References">Resources to fetch, <c>Type/id</c>.</param>
/// <param name="Deleted">Resources that were deleted, <c>Type/id</c>.</param>
/// <param name="Everything">Something changed, and what is not told.</param>
internal sealed record Notification(
    IReadOnlyList<FhirElement> Resources,
    IReadOnlyList<string> References,
    IReadOnlyList<string> Deleted,
    bool Everything
)
{
    private const int MostReferences = 10_000;

    /// <summary>A notification without a body.</summary>
    public static Notification Empty { get; } = new([], [], [], true);

    /// <summary>Reads one; null, with a refusal, when it is none.</summary>
    /// <param name="root">Resource or Bundle.</param>
    /// <param name="bases">Our base and the EHR's: references elsewhere are never fetched.</param>
    /// <param name="refusal">Why not.</param>
    public static Notification? Read(FhirElement root, LocalBases bases, out Refusal? refusal)
    {
        refusal = null;
        if (!root["resourceType"u8].Is("Bundle"u8))
        {
            return new Notification([root], [], [], false);
        }
        if (!root["type"u8].Is("history"u8) && !root["type"u8].Is("subscription-notification"u8))
        {
            refusal = Refusal.Of(
                400,
                "not-supported",
                "notification-type",
                "A notification Bundle has type history (R4 with the backport) or subscription-notification. Transactions, batches and collections go to the base.",
                "Bundle.type",
                root
            );
            return null;
        }
        var reading = new Reading(bases);
        foreach (var entry in root["entry"u8].Items)
        {
            reading.Entry(entry);
        }
        if (reading.Foreign is { } foreign)
        {
            refusal = Refusal.Of(
                422,
                "security",
                "notification-host",
                $"'{foreign}' is not below the address of the practice's EHR, and nothing else is ever fetched. Give references as Type/id, or set 'ehr.baseUrl' to the EHR's address.",
                "Bundle.entry"
            );
            return null;
        }
        if (reading.References.Count > MostReferences)
        {
            refusal = Refusal.Of(
                413,
                "too-long",
                "notification-size",
                $"A notification names at most {MostReferences} resources.",
                "Bundle.entry"
            );
            return null;
        }
        return reading.Done();
    }

    private sealed class Reading(LocalBases bases)
    {
        private readonly List<FhirElement> resources = [];
        private readonly HashSet<string> here = new(StringComparer.Ordinal);
        private readonly HashSet<string> deleted = new(StringComparer.Ordinal);
        private bool quiet;

        public OrderedDictionary<string, bool> References { get; } = new(StringComparer.Ordinal);

        public string? Foreign { get; private set; }

        public void Entry(FhirElement entry)
        {
            var resource = entry["resource"u8];
            if (resource["resourceType"u8].Is("SubscriptionStatus"u8))
            {
                Kind(resource["type"u8].Text);
                foreach (var notified in resource["notificationEvent"u8].Items)
                {
                    Refer(notified["focus"u8]["reference"u8].Text);
                    foreach (var context in notified["additionalContext"u8].Items)
                    {
                        Refer(context["reference"u8].Text);
                    }
                }
                return;
            }
            if (resource["resourceType"u8].Is("Parameters"u8))
            {
                foreach (var parameter in resource["parameter"u8].Items)
                {
                    if (parameter["name"u8].Is("type"u8))
                    {
                        Kind(parameter["valueCode"u8].Text);
                    }
                    foreach (var part in parameter["part"u8].Items)
                    {
                        if (part["name"u8].Is("focus"u8) || part["name"u8].Is("additional-context"u8))
                        {
                            Refer(part["valueReference"u8]["reference"u8].Text);
                        }
                    }
                }
                return;
            }
            if (resource.Exists)
            {
                resources.Add(resource);
                here.Add($"{resource["resourceType"u8].Text}/{resource["id"u8].Text}");
                return;
            }
            var url = entry["fullUrl"u8].Text ?? entry["request"u8]["url"u8].Text;
            if (entry["request"u8]["method"u8].Is("DELETE"u8))
            {
                if (Local(url) is { } gone)
                {
                    deleted.Add(gone);
                }
                return;
            }
            Refer(url);
        }

        public Notification Done()
        {
            var fetch = References.Keys.Where(one => !here.Contains(one) && !deleted.Contains(one)).ToList();
            return new Notification(
                resources,
                fetch,
                [.. deleted],
                !quiet && resources.Count + fetch.Count + deleted.Count == 0
            );
        }

        // A handshake and a heartbeat tell of no change.
        private void Kind(string? type) => quiet = type is "handshake" or "heartbeat" or "query-status";

        private void Refer(string? reference)
        {
            if (Local(reference) is { } local)
            {
                References.TryAdd(local, true);
            }
        }

        private string? Local(string? reference)
        {
            if (reference is null)
            {
                return null;
            }
            var path = (bases.Relative(reference) ?? reference).Split('/');
            if (
                path.Length >= 2
                && ResourceTypes.Find(path[0]) is { } type
                && LogicalId.IsValid(path[1])
                && (path.Length == 2 || path is [_, _, "_history", _])
            )
            {
                return $"{type}/{path[1]}";
            }
            Foreign ??= reference.Length > 200 ? reference[..200] : reference;
            return null;
        }
    }
}

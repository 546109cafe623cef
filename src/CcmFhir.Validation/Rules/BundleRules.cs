namespace CcmFhir.Validation.Rules;

/// <summary>Bundles: fullUrls absolute, unique and in accord with the ids (bdl-7), a document's and a message's first entry,
/// and in a document that what the Composition refers to is in the Bundle.</summary>
internal sealed class BundleRules : Rule
{
    public override void Compile(ElementScope scope, ElementChecks into)
    {
        if (scope.IsRoot && scope.Base is null && scope.Node.Structure.Type == "Bundle")
        {
            into.OfValue.Add(new OfBundle());
        }
    }

    private sealed class OfBundle : ValueCheck
    {
        public override void Check(Walk walk, in Spot spot)
        {
            var bundle = spot.Value;
            var type = bundle["type"u8].Text;
            var entries = bundle["entry"u8];
            var index = 0;
            var seen = new HashSet<(string FullUrl, string? Version)>();
            foreach (var entry in entries.Items)
            {
                if (entry.Kind == JsonKind.Object)
                {
                    FullUrl(walk, entry, type, seen);
                    if (index == 0)
                    {
                        First(walk, entry, type);
                    }
                }
                index++;
            }
            if (type is "document" or "message" && index == 0)
            {
                walk.Add(
                    Severity.Error,
                    "required",
                    "bundle-first-entry",
                    bundle,
                    type == "document"
                        ? "A document begins with a Composition; the Bundle has no entries."
                        : "A message begins with a MessageHeader; the Bundle has no entries.",
                    below: "entry"
                );
            }
        }

        private static void First(Walk walk, FhirElement entry, string? type)
        {
            var wanted = type switch
            {
                "document" => "Composition",
                "message" => "MessageHeader",
                _ => null,
            };
            var resource = entry["resource"u8];
            var found = resource["resourceType"u8].Text;
            if (wanted is null)
            {
                return;
            }
            if (found != wanted)
            {
                walk.Add(
                    Severity.Error,
                    "invariant",
                    type == "document" ? "bdl-11" : "bdl-12",
                    resource.Exists ? resource : entry,
                    $"The first entry of a {type} is a {wanted}; this is {(found is null ? "none" : "a " + Nearest.Shown(found))}."
                );
            }
            else if (type == "document")
            {
                Reachable(walk, resource);
            }
        }

        /// <summary>A document is complete in itself: what its Composition refers to stands in the Bundle.</summary>
        private static void Reachable(Walk walk, FhirElement composition)
        {
            var document = composition.Document;
            var end = document.EndOf(composition);
            for (var at = composition.Index; at < end; at++)
            {
                var literal = new FhirElement(document, at);
                if (
                    literal.Kind == JsonKind.String
                    && literal.NameUtf8.SequenceEqual("reference"u8)
                    && literal.Text is { Length: > 0 } text
                    && text[0] != '#'
                    && !walk.Resources.Resolve(literal, text).Exists
                )
                {
                    walk.Add(
                        Severity.Error,
                        "not-found",
                        "bundle-reference",
                        literal,
                        $"'{Nearest.Shown(text)}' is not in the document; what a Composition refers to stands in the same Bundle."
                    );
                }
            }
        }

        private static void FullUrl(
            Walk walk,
            FhirElement entry,
            string? type,
            HashSet<(string FullUrl, string? Version)> seen
        )
        {
            var fullUrl = entry["fullUrl"u8];
            var resource = entry["resource"u8];
            if (fullUrl.Text is not { Length: > 0 } text)
            {
                return;
            }
            if (!ResourceMap.IsAbsolute(text))
            {
                walk.Add(
                    Severity.Error,
                    "value",
                    "bundle-fullurl",
                    fullUrl,
                    $"A fullUrl is absolute (https://server/Type/id or urn:uuid:...); '{Nearest.Shown(text)}' is not."
                );
                return;
            }
            if (
                type is not ("history" or "batch-response" or "transaction-response")
                && !seen.Add((text, resource["meta"u8]["versionId"u8].Text))
            )
            {
                walk.Add(
                    Severity.Error,
                    "invariant",
                    "bdl-7",
                    fullUrl,
                    $"The fullUrl '{Nearest.Shown(text)}' stands here for the second time; each entry has its own."
                );
            }
            if (
                !text.StartsWith("urn:", StringComparison.Ordinal)
                && resource["id"u8].Text is { Length: > 0 } id
                && ResourceMap.TypeAndId(text) is var (urlType, urlId)
                && walk.Compiler.ResourceTypeByName(urlType) is not null
            )
            {
                var stated = resource["resourceType"u8].Text ?? "";
                if (urlType != stated || urlId != id)
                {
                    // A wrong type is told as the error that it is. A wrong id alone is too common, in HL7's own examples too.
                    walk.Add(
                        urlType != stated ? Severity.Error : Severity.Warning,
                        "value",
                        "bundle-fullurl",
                        fullUrl,
                        $"The fullUrl names {urlType}/{Nearest.Shown(urlId)}; the resource is {Nearest.Shown(stated)}/{Nearest.Shown(id)}."
                    );
                }
            }
        }
    }
}

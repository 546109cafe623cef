using CcmFhir.Validation.Definitions;

namespace CcmFhir.Validation.Rules;

/// <summary>Contained resources: dom-2 (none inside them), dom-3 (each is referred to, or refers back), dom-4 and dom-5 (no version, no label),
/// ids unique; and dom-6 (a narrative is good practice).</summary>
internal sealed class Contained : Rule
{
    public override void Compile(ElementScope scope, ElementChecks into)
    {
        if (
            scope.IsRoot
            && scope.Base is null
            && scope.Node.Structure.Kind == StructureKind.Resource
            && scope.Node.Child("contained") is not null
        )
        {
            into.OfValue.Add(new OfDomainResource());
        }
    }

    private sealed class OfDomainResource : ValueCheck
    {
        public override void Check(Walk walk, in Spot spot)
        {
            var resource = spot.Value;
            var contained = resource["contained"u8];
            if (contained.Exists)
            {
                Resources(walk, resource, contained);
            }
            if (resource["text"u8]["div"u8].Kind == JsonKind.None)
            {
                walk.Add(
                    Severity.Information,
                    "invariant",
                    "dom-6",
                    resource,
                    "A narrative (text) is good practice, so that people can read the resource without software for it.",
                    below: "text"
                );
            }
        }

        private static void Resources(Walk walk, FhirElement holder, FhirElement contained)
        {
            HashSet<string>? references = null;
            var ids = new HashSet<string>(StringComparer.Ordinal);
            foreach (var one in contained.Items)
            {
                if (one.Kind != JsonKind.Object)
                {
                    continue;
                }
                if (one["contained"u8].Exists)
                {
                    Add(
                        walk,
                        "dom-2",
                        one["contained"u8],
                        "A contained resource contains no resources itself; put them side by side."
                    );
                }
                var meta = one["meta"u8];
                if (meta["versionId"u8].Exists || meta["lastUpdated"u8].Exists)
                {
                    Add(
                        walk,
                        "dom-4",
                        meta,
                        "A contained resource has no meta.versionId and no meta.lastUpdated: it has no life of its own."
                    );
                }
                if (meta["security"u8].Exists)
                {
                    Add(
                        walk,
                        "dom-5",
                        meta["security"u8],
                        "A contained resource has no security label; label the resource that contains it."
                    );
                }
                if (one["id"u8].Text is not { Length: > 0 } id)
                {
                    walk.Add(
                        Severity.Error,
                        "required",
                        "contained-id",
                        one,
                        "A contained resource needs an id, by which it is referred to.",
                        below: "id"
                    );
                    continue;
                }
                if (!ids.Add(id))
                {
                    Add(
                        walk,
                        "contained-id",
                        one["id"u8],
                        $"Two contained resources have the id '{Nearest.Shown(id)}'."
                    );
                }
                references ??= References(holder);
                if (!references.Contains(id) && !RefersBack(one))
                {
                    Add(
                        walk,
                        "dom-3",
                        one,
                        $"Nothing refers to the contained resource '{Nearest.Shown(id)}'; refer to '#{Nearest.Shown(id)}' or leave it out."
                    );
                }
            }
        }

        private static void Add(Walk walk, string rule, FhirElement at, string text) =>
            walk.Add(Severity.Error, "invariant", rule, at, text);

        /// <summary>Every <c>#id</c> that some string of the resource says.</summary>
        private static HashSet<string> References(FhirElement holder)
        {
            var found = new HashSet<string>(StringComparer.Ordinal);
            var document = holder.Document;
            var end = document.EndOf(holder);
            for (var index = holder.Index; index < end; index++)
            {
                var element = new FhirElement(document, index);
                if (element.Kind == JsonKind.String && element.Length > 3 && element.Raw[1] == '#')
                {
                    found.Add(element.Text![1..]);
                }
            }
            return found;
        }

        private static bool RefersBack(FhirElement contained)
        {
            var document = contained.Document;
            var end = document.EndOf(contained);
            for (var index = contained.Index; index < end; index++)
            {
                var element = new FhirElement(document, index);
                if (element.Kind == JsonKind.String && element.Raw.SequenceEqual("\"#\""u8))
                {
                    return true;
                }
            }
            return false;
        }
    }
}

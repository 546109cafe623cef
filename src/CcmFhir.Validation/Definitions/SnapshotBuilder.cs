using System.Text.Json.Nodes;

namespace CcmFhir.Validation.Definitions;

/// <summary>Builds the snapshot of a profile that comes with a differential only: the base's snapshot, with the differential laid
/// over it (FHIR R4, profiling: "differential vs. snapshot"; slices, slices by type, re-slices, children of data types, of their
/// profiles and of content references).</summary>
/// <param name="snapshot">The snapshot of another structure by canonical; null when that is not known.</param>
internal sealed class SnapshotBuilder(Func<string, SnapshotNode?> snapshot)
{
    private const string Types = "http://hl7.org/fhir/StructureDefinition/";

    private readonly record struct Place(string Origin, string Element)
    {
        public Place Below(DifferentialNode node) =>
            this with
            {
                Element = node.Slice is null ? $"{Element}.{node.Name}" : $"{Element}.{node.Name}:{node.Slice}",
            };

        public UnreadableDefinitionException Fault(string reason) => new(Origin, Element, reason);
    }

    /// <summary>The snapshot's elements.</summary>
    /// <param name="structure">The StructureDefinition, with its differential.</param>
    /// <param name="origin">For messages.</param>
    public IEnumerable<JsonObject> Build(JsonObject structure, string origin)
    {
        var type = (string?)structure["type"] ?? "";
        // Logical models have a URL for a type, and paths that begin with its last part.
        var typeName = type[(type.LastIndexOf('/') + 1)..];
        var elements = (structure["differential"]?["element"] as JsonArray ?? [])
            .Select(element => element!.DeepClone().AsObject())
            .ToArray();
        foreach (var constraint in elements.SelectMany(element => element["constraint"] as JsonArray ?? []))
        {
            constraint!["source"] ??= (string?)structure["url"];
        }
        var isNewType = (string?)structure["derivation"] != "constraint" && (string?)structure["kind"] is "logical";
        var differential = DifferentialNode.Read(elements, typeName, origin);
        SnapshotNode root;
        if ((string?)structure["baseDefinition"] is { } baseDefinition)
        {
            var below =
                snapshot(baseDefinition)
                ?? throw new UnreadableDefinitionException(
                    origin,
                    "StructureDefinition.baseDefinition",
                    $"'{baseDefinition}' is not known (load the package that holds it too), or builds on this profile in turn."
                );
            root = below.Copy(typeName, null);
        }
        else
        {
            root = new SnapshotNode(typeName, null, []);
        }
        var work = new Work(snapshot, root.Copy(), isNewType);
        var place = new Place(origin, typeName);
        if (differential.Facts is not null)
        {
            FactMerge.Into(root.Facts, differential.Facts);
        }
        work.Children(root, differential, place);
        if (!isNewType)
        {
            PointToBase(root);
        }
        return root.Flatten();
    }

    /// <summary>A content reference leads to the type's own definition, not to what a profile makes of it.</summary>
    private static void PointToBase(SnapshotNode node)
    {
        if ((string?)node.Facts["contentReference"] is ['#', .. var id])
        {
            node.Facts["contentReference"] = $"{Types}{id.Split('.')[0]}#{id}";
        }
        foreach (var child in node.Children)
        {
            PointToBase(child);
        }
    }

    /// <param name="snapshot">Snapshots of other structures.</param>
    /// <param name="origins">The base as it was, where content references point to.</param>
    /// <param name="isNewType">Elements that the base does not have are new ones.</param>
    private sealed class Work(Func<string, SnapshotNode?> snapshot, SnapshotNode origins, bool isNewType)
    {
        public void Children(SnapshotNode target, DifferentialNode difference, Place place)
        {
            if (difference.Children.Count > 0 && target.Children.Count == 0)
            {
                Expand(target, place);
            }
            foreach (var child in difference.Children)
            {
                var at = place.Below(child);
                var found = Find(target, child, at);
                if (child.Facts is not null)
                {
                    Describe(found, child.Facts);
                    FactMerge.Into(found.Facts, child.Facts);
                    Close(target, found);
                }
                Children(found, child, at);
            }
        }

        /// <summary>A type of a choice that must be there leaves no room for the others.</summary>
        private static void Close(SnapshotNode parent, SnapshotNode slice)
        {
            if (
                slice.Slice is null
                || !slice.Name.EndsWith("[x]", StringComparison.Ordinal)
                || (int?)slice.Facts["min"] is not > 0
                || slice.Facts["type"] is not JsonArray { Count: 1 } types
                || parent.Children.Find(other => other.Slice is null && other.Name == slice.Name) is not { } choice
                || choice.Facts["slicing"] is not JsonObject slicing
                || slicing["discriminator"] is not JsonArray { Count: 1 } discriminators
                || (string?)discriminators[0]!["type"] != "type"
                || (string?)discriminators[0]!["path"] != "$this"
            )
            {
                return;
            }
            choice.Facts["min"] = Math.Max(1, (int?)choice.Facts["min"] ?? 0);
            choice.Facts["type"] = types.DeepClone();
            slicing["rules"] = "closed";
        }

        private SnapshotNode Find(SnapshotNode parent, DifferentialNode child, Place place)
        {
            var element = parent.Children.Find(other => other.Slice is null && other.Name == child.Name);
            if (element is not null)
            {
                return child.Slice is null ? element : Slice(parent, element, child.Slice, child, place);
            }
            // valueQuantity for value[x]: short for a slice by type.
            var choice = parent.Children.Find(other =>
                other.Slice is null
                && other.Name.EndsWith("[x]", StringComparison.Ordinal)
                && child.Name.StartsWith(other.Name[..^3], StringComparison.Ordinal)
                && TypeOf(other, child.Name[(other.Name.Length - 3)..]) is not null
            );
            if (choice is not null)
            {
                var slice = child.Slice ?? child.Name;
                var isSliced = parent.Children.Exists(other => other.Name == choice.Name && other.Slice == slice);
                var type = TypeOf(choice, child.Name[(choice.Name.Length - 3)..])!;
                // Where only one type is left there is nothing to slice; and below a slice HL7's publisher takes the short form
                // to mean that this is the only type.
                if (
                    child.Slice is null
                    && !isSliced
                    && (choice.Facts["type"] is JsonArray { Count: 1 } || parent.Slice is not null)
                )
                {
                    choice.Facts["type"] = new JsonArray(type.DeepClone());
                    return choice;
                }
                return Slice(parent, choice, slice, child, place);
            }
            if (isNewType)
            {
                var added = new SnapshotNode(child.Name, child.Slice, []);
                parent.Children.Add(added);
                return added;
            }
            var near = Terminology.NearestCode.To(child.Name, parent.Children.Select(other => other.Name).Distinct());
            throw place.Fault(
                $"there is no element '{child.Name}' here" + (near is null ? "." : $"; '{near}' would be one.")
            );
        }

        private static SnapshotNode Slice(
            SnapshotNode parent,
            SnapshotNode element,
            string slice,
            DifferentialNode child,
            Place place
        )
        {
            if (parent.Children.Find(other => other.Name == element.Name && other.Slice == slice) is { } existing)
            {
                return existing;
            }
            // a/b slices the slice a again; where there is no a, the slash is just a letter of the name.
            var cut = slice.LastIndexOf('/');
            var above =
                (
                    cut < 0
                        ? null
                        : parent.Children.Find(other => other.Name == element.Name && other.Slice == slice[..cut])
                ) ?? element;
            if (child.Facts is null)
            {
                throw place.Fault("the slice is not defined; an element with its sliceName would define it.");
            }
            if (element.Facts["slicing"] is null)
            {
                element.Facts["slicing"] = UsualSlicing(element.Name);
            }
            // A slice starts from what the base says of the element. What this profile says of all repetitions is not said of each
            // slice again: whoever checks a slice checks the element too.
            var added = (above.Slice is null ? above.Source ?? above : above).Copy(element.Name, slice);
            added.Facts.Remove("slicing");
            // What all repetitions need together, no single slice needs.
            added.Facts["min"] = 0;
            if (
                TypeOf(element, slice[(slice.LastIndexOf('/') + 1)..], element.Name) is { } type
                && child.Facts["type"] is null
            )
            {
                added.Facts["type"] = new JsonArray(type.DeepClone());
            }
            if (element.Name.EndsWith("[x]", StringComparison.Ordinal) && child.Name == element.Name)
            {
                // Children of a choice belong to whatever type it had before.
                added.Children.Clear();
            }
            var last = parent.Children.FindLastIndex(other =>
                other.Name == element.Name
                && (
                    above.Slice is null
                    || other.Slice == above.Slice
                    || other.Slice?.StartsWith(above.Slice + "/", StringComparison.Ordinal) == true
                )
            );
            parent.Children.Insert(last + 1, added);
            return added;
        }

        /// <summary>What R4 takes for granted where an author slices without saying how.</summary>
        private static JsonObject UsualSlicing(string name)
        {
            var slicing = new JsonObject();
            if (name is "extension" or "modifierExtension")
            {
                slicing["discriminator"] = new JsonArray(new JsonObject { ["type"] = "value", ["path"] = "url" });
            }
            else if (name.EndsWith("[x]", StringComparison.Ordinal))
            {
                slicing["discriminator"] = new JsonArray(new JsonObject { ["type"] = "type", ["path"] = "$this" });
            }
            slicing["ordered"] = false;
            slicing["rules"] = "open";
            return slicing;
        }

        /// <summary>The type of a choice by the suffix in a name: Quantity of valueQuantity; null when it is none of them.</summary>
        private static JsonNode? TypeOf(SnapshotNode choice, string slice, string name) =>
            name.EndsWith("[x]", StringComparison.Ordinal) && slice.StartsWith(name[..^3], StringComparison.Ordinal)
                ? TypeOf(choice, slice[(name.Length - 3)..])
                : null;

        private static JsonNode? TypeOf(SnapshotNode choice, string suffix) =>
            (choice.Facts["type"] as JsonArray ?? []).FirstOrDefault(type =>
                string.Equals((string?)type!["code"], suffix, StringComparison.OrdinalIgnoreCase)
            );

        /// <summary>A type with one profile brings that profile's words, and whether it is a modifier.</summary>
        private void Describe(SnapshotNode target, JsonObject facts)
        {
            if (
                facts["type"] is JsonArray { Count: 1 } types
                && types[0]!["profile"] is JsonArray { Count: 1 } profiles
                && snapshot((string)profiles[0]!) is { } profile
            )
            {
                foreach (var word in new[] { "short", "definition", "comment", "isModifier" })
                {
                    if (profile.Facts[word] is { } value)
                    {
                        target.Facts[word] = value.DeepClone();
                    }
                }
            }
        }

        /// <summary>Gives an element the children of its type, of its type's profile, or of what it refers to.</summary>
        private void Expand(SnapshotNode target, Place place)
        {
            if ((string?)target.Facts["contentReference"] is { } reference)
            {
                var hash = reference.IndexOf('#', StringComparison.Ordinal);
                var owner = hash > 0 ? snapshot(reference[..hash]) : origins;
                var referred =
                    (owner is null ? null : Walk(owner, reference[(hash + 1)..].Split('.')[1..]))
                    ?? throw place.Fault($"its content reference '{reference}' leads nowhere.");
                target.Facts.Remove("contentReference");
                if (referred.Facts["type"] is { } type)
                {
                    target.Facts["type"] = type.DeepClone();
                }
                target.Children.AddRange(referred.Children.Select(child => child.Copy()));
                return;
            }
            var types = target.Facts["type"] as JsonArray ?? [];
            if (types.Count == 0)
            {
                if (isNewType)
                {
                    return;
                }
                throw place.Fault("it has no type, so nothing can stand below it.");
            }
            // Of several types only what every element has is common.
            var codes = types.Select(type => (string?)type!["code"]).Distinct().ToArray();
            var name = codes.Length == 1 ? codes[0] ?? "" : "Element";
            var profile =
                codes.Length == 1 && types is [{ } only] && only["profile"] is JsonArray { Count: 1 } profiles
                    ? (string)profiles[0]!
                    : null;
            var canonical = profile ?? TypeCanonical(name);
            var below =
                (canonical.Contains('#', StringComparison.Ordinal) ? null : snapshot(canonical))
                ?? snapshot(TypeCanonical(name))
                ?? throw place.Fault($"its type '{canonical}' is not known; load the package that holds it too.");
            target.Children.AddRange(below.Children.Select(child => child.Copy()));
        }

        private static string TypeCanonical(string type) =>
            type.Contains(':', StringComparison.Ordinal)
                ? type.StartsWith("http://hl7.org/fhirpath/System.", StringComparison.Ordinal)
                    // Values of primitives have no children but what every element has.
                    ? Types + "Element"
                    : type
                : Types + type;

        private static SnapshotNode? Walk(SnapshotNode node, IEnumerable<string> names)
        {
            foreach (var name in names)
            {
                if (node.Children.Find(child => child.Slice is null && child.Name == name) is not { } child)
                {
                    return null;
                }
                node = child;
            }
            return node;
        }
    }
}

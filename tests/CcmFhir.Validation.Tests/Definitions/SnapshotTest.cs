using CcmFhir.Validation.Definitions;

namespace CcmFhir.Validation.Tests.Definitions;

public sealed class SnapshotTest
{
    private static string UsCore =>
        Path.Combine(NpmPackage.Repository, "tests/CcmFhir.Validation.Tests/Data/us-core-6.1.0.tgz");

    /// <summary>Every profile of US Core 6.1.0, its snapshot built anew from the differential, against the snapshot HL7's publisher built.</summary>
    [Fact]
    public void Snapshots_built_from_differentials_say_what_the_published_ones_say()
    {
        var published = BaseDefinitions.R4.With(PackageLoader.Load(UsCore));
        var differences = new List<string>();
        var profiles = 0;
        var bare = BaseDefinitions.R4.With(PackageLoader.Load(UsCore).Select(WithoutSnapshot));
        foreach (
            var definition in published
                .All(DefinitionKind.Structure)
                .Where(item => item.Origin.Contains("us-core", StringComparison.Ordinal))
        )
        {
            if (definition.Url.EndsWith("us-core-questionnaireresponse", StringComparison.Ordinal))
            {
                // It builds on a profile of another guide (SDC), which is not here.
                continue;
            }
            profiles++;

            var expected = published.Structure(definition.Url)!;
            var built = bare.Structure(definition.Url)!;
            differences.AddRange(Compare(expected, built));
        }
        profiles.ShouldBeGreaterThan(50);
        differences.ShouldBe([]);
    }

    internal static IEnumerable<string> Compare(Structure expected, Structure built)
    {
        var byId = built.Elements.ToLookup(element => element.Id);
        foreach (var element in expected.Elements)
        {
            if (byId[element.Id].Count() != 1)
            {
                yield return $"{expected.Name} {element.Id}: {byId[element.Id].Count()} times";
                continue;
            }
            foreach (var (left, right) in Facts(element).Zip(Facts(byId[element.Id].Single())))
            {
                if (left != right)
                {
                    yield return $"{expected.Name} {element.Id}: published {left}, built {right}";
                }
            }
        }
        foreach (
            var id in built
                .Elements.Select(element => element.Id)
                .Except(expected.Elements.Select(element => element.Id))
        )
        {
            yield return $"{expected.Name} {id}: not published";
        }
        if (
            !expected.Elements.Select(element => element.Id).SequenceEqual(built.Elements.Select(element => element.Id))
        )
        {
            yield return $"{expected.Name}: another order";
        }
    }

    private static IEnumerable<string> Facts(StructureElement element)
    {
        yield return $"{element.Min}..{element.Max} base {element.BasePath} {element.BaseMin}..{element.BaseMax}";
        yield return "types "
            + string.Join(
                ", ",
                element.Types.Select(type =>
                    $"{type.Code}({string.Join(' ', type.Profiles)} -> {string.Join(' ', type.TargetProfiles)}{string.Join(' ', type.Aggregation)}{type.Versioning})"
                )
            );
        yield return $"fixed {element.Fixed?.Value.Text ?? Raw(element.Fixed)} pattern {Raw(element.Pattern)}";
        yield return $"binding {element.Binding}";
        yield return "constraints "
            + string.Join(
                ", ",
                element
                    .Constraints.Select(constraint => $"{constraint.Key} {constraint.Expression}")
                    .Order(StringComparer.Ordinal)
            );
        yield return $"slicing {element.Slicing?.Rules} {element.Slicing?.Ordered} {string.Join(", ", element.Slicing?.Discriminators ?? [])}";
        yield return $"flags {element.IsModifier} {element.MustSupport} {element.IsSummary} {element.ContentReference}";
    }

    private static string Raw(TypedValue? value) =>
        value is null
            ? ""
            : string.Concat(
                System.Text.Encoding.UTF8.GetString(value.Value.Raw).Where(letter => !char.IsWhiteSpace(letter))
            );

    private static Definition WithoutSnapshot(Definition definition)
    {
        if (definition.Kind != DefinitionKind.Structure)
        {
            return definition;
        }
        var json = System.Text.Json.Nodes.JsonNode.Parse(definition.Json.Raw)!.AsObject();
        json.Remove("snapshot");
        return new Definition(
            definition.Kind,
            definition.Url,
            definition.Version,
            definition.Origin,
            () => FhirJson.Parse(System.Text.Encoding.UTF8.GetBytes(json.ToJsonString()), out _)!.Root
        );
    }
}

using CcmFhir.Validation.Definitions;
using CcmFhir.Validation.FhirPath;
using Hl7.Fhir.Model;

namespace CcmFhir.Validation.Tests.FhirPath;

/// <summary>Every invariant of every base type, on every element that it applies to, in all official examples: our FHIRPath over our tree
/// and the SDK's engine over its own objects give the same answer (true, false, empty or an error). The short form takes all examples but
/// a sample of the thousands of definitions among them; <c>CCMFHIR_LONG=1</c> takes all.</summary>
public sealed class InvariantAgreementTest(ITestOutputHelper output)
{
    private static readonly DefinitionSet R4 = BaseDefinitions.R4;
    private static readonly TypeModel Types = new(R4);
    private readonly Dictionary<string, CompiledExpression> compiled = new(StringComparer.Ordinal);
    private readonly SdkOracle sdk = new();
    private readonly SortedDictionary<string, int> differences = new(StringComparer.Ordinal);
    private int comparisons;

    /// <summary>Every difference that there is, with its reason: whose fault it is.</summary>
    private static readonly KnownDifference[] Known =
    [
        new(
            "ele-1",
            "true",
            "empty",
            "A primitive that has only extensions: hasValue() is false and it has children, so the rule holds; the SDK gives empty for it."
        ),
        new(
            "que-7",
            "true",
            "false",
            "answerBoolean is Boolean: a FHIR primitive is its system value, as HL7's own validator has it; the SDK tells them apart."
        ),
    ];

    [Fact]
    public void Every_invariant_agrees_with_the_SDK_on_the_official_examples()
    {
        foreach (var file in OfficialExamples.Files)
        {
            var bytes = File.ReadAllBytes(file);
            var json = FhirJson.Parse(bytes, out _);
            if (json is not null && json.Root["resourceType"u8].Exists)
            {
                var poco = SdkOracle.Read(bytes).ShouldNotBeNull(file);
                Resource(json.Root, poco, new Place(json.Root, poco, poco, Path.GetFileName(file)));
            }
        }
        output.WriteLine($"{comparisons} comparisons in {OfficialExamples.Files.Count} files");
        differences.ShouldBeEmpty();
        comparisons.ShouldBeGreaterThan(100_000);
    }

    private void Resource(FhirElement resource, PocoNode poco, Place place)
    {
        var shape = Types.OfResource(resource).ShouldNotBeNull(place.File);
        var structure = R4.StructureOfType(shape.Name)!;
        var context = new EvaluationContext(resource) { RootResource = place.Root, Types = Types };
        Element(
            FhirPathValue.Of(resource, shape),
            poco,
            structure,
            structure.Root,
            context,
            place with
            {
                PocoResource = poco,
                Path = shape.Name,
            }
        );
    }

    private void Element(
        in FhirPathValue value,
        PocoNode poco,
        Structure structure,
        StructureElement element,
        EvaluationContext context,
        Place place
    )
    {
        foreach (var constraint in element.Constraints)
        {
            Compare(constraint, value, poco, context, place);
        }
        // Below an element with content of its own the same structure goes on; below any other, that of its type.
        var type = value.Type!;
        var goesOn = type.Name is "BackboneElement" or "Element" || element == structure.Root;
        var (below, path) = goesOn ? (structure, element.Path) : (R4.StructureOfType(type.Name)!, type.Name);
        if (!goesOn)
        {
            foreach (
                var constraint in below.Root.Constraints.ExceptBy(
                    element.Constraints.Select(other => other.Key),
                    other => other.Key
                )
            )
            {
                Compare(constraint, value, poco, context, place);
            }
        }
        foreach (var child in type.Elements)
        {
            Children(child.Name, below, path, value, poco, context, place);
        }
    }

    private void Children(
        string name,
        Structure structure,
        string path,
        in FhirPathValue value,
        PocoNode poco,
        EvaluationContext context,
        Place place
    )
    {
        var ours = Compiled($"`{name}`").Evaluate(context, value);
        var theirs = (poco.Child(name) as IEnumerable<PocoNode>)?.ToList() ?? [];
        if (ours.Count != theirs.Count)
        {
            Note($"{place.Path}.{name}: we find {ours.Count}, the SDK finds {theirs.Count} in {place.File}");
            return;
        }
        var element = structure.Elements.First(element =>
            element.Path == $"{path}.{name}" || element.Path == $"{path}.{name}[x]"
        );
        if (element.ContentReference is { } reference)
        {
            element = structure.Elements.First(other =>
                other.Path == reference[(reference.IndexOf('#', StringComparison.Ordinal) + 1)..]
            );
        }
        for (var index = 0; index < ours.Count; index++)
        {
            if (ours[index].Type!.Is("Resource"))
            {
                var resource = ours[index].Element;
                Resource(
                    resource,
                    theirs[index],
                    name == "contained" ? place : place with { Root = resource, PocoRoot = theirs[index] }
                );
            }
            else
            {
                Element(
                    ours[index],
                    theirs[index],
                    structure,
                    element,
                    context,
                    place with
                    {
                        Path = $"{place.Path}.{name}",
                    }
                );
            }
        }
    }

    private void Compare(
        ElementConstraint constraint,
        in FhirPathValue value,
        PocoNode poco,
        EvaluationContext context,
        Place place
    )
    {
        if (constraint.Expression is not { } expression)
        {
            return;
        }
        comparisons++;
        string ours;
        try
        {
            ours = Compiled(expression).Holds(context, value) switch
            {
                true => "true",
                false => "false",
                null => "empty",
            };
        }
        catch (FhirPathException)
        {
            ours = "error";
        }
        var theirs = sdk.Holds(expression, poco, place.PocoResource, place.PocoRoot);
        if (ours != theirs && !Array.Exists(Known, known => known.Is(constraint.Key, ours, theirs)))
        {
            Note($"{constraint.Key} on {place.Path}: we say {ours}, the SDK {theirs} in {place.File}");
        }
    }

    private CompiledExpression Compiled(string expression)
    {
        if (!compiled.TryGetValue(expression, out var known))
        {
            compiled[expression] = known = FhirPathCompiler.Compile(expression);
        }
        return known;
    }

    private void Note(string difference) => differences[difference] = differences.GetValueOrDefault(difference) + 1;

    private sealed record KnownDifference(string Key, string Ours, string Sdk, string Reason)
    {
        public bool Is(string key, string ours, string sdk) => key == Key && ours == Ours && sdk == Sdk;
    }

    private sealed record Place(FhirElement Root, PocoNode PocoRoot, PocoNode PocoResource, string File)
    {
        public string Path { get; init; } = "";
    }
}

using CcmFhir.Validation.Definitions;

namespace CcmFhir.Validation.Tests.Mutations;

/// <summary>The kinds of fault that are put into valid samples: a new one is a line.</summary>
internal static class MutationTable
{
    // Any text of the right form may be in these: they have no list, and syntax alone decides.
    private static readonly string[] SetsWithoutList =
    [
        "http://hl7.org/fhir/ValueSet/mimetypes",
        "http://hl7.org/fhir/ValueSet/languages",
        "http://hl7.org/fhir/ValueSet/all-languages",
        "http://hl7.org/fhir/ValueSet/currencies",
        "http://hl7.org/fhir/ValueSet/ucum-units",
    ];

    private const string Group = "\"Group/g1\"";

    /// <summary>Name of the kind, and every fault of that kind that a sample can be given.</summary>
    public static IReadOnlyDictionary<string, Func<Sample, IEnumerable<Fault>>> Kinds { get; } =
        new Dictionary<string, Func<Sample, IEnumerable<Fault>>>(StringComparer.Ordinal)
        {
            // Presence and number
            ["required element dropped"] = sample => sample.Spots.SelectMany(Required),
            ["element required by the profile dropped"] = RequiredByProfile,
            ["unknown property"] = Each(
                spot => spot.IsObject,
                spot => Fault.Insert(spot, "\"bogus\":\"x\"", $"{spot.Path}.bogus")
            ),
            ["property in wrong case"] = Each(
                spot => spot.Type.Is("Resource"),
                spot => Fault.Insert(spot, "\"Language\":\"en\"", $"{spot.Path}.Language")
            ),
            ["second value where one is allowed"] = Each(
                IsSingle,
                spot => Fault.ReplaceProperty(spot, $"[{Fault.Text(spot.Property)},{Fault.Text(spot.Property)}]")
            ),
            ["one value without its array"] = Each(
                spot => spot.IsInArray && spot.Path.EndsWith("[0]", StringComparison.Ordinal),
                spot => Fault.ReplaceProperty(spot, Fault.Text(spot.Value))
            ),
            ["two values of a choice"] = sample =>
                sample.Spots.Where(spot => spot.Element.IsChoice && !spot.IsInArray).SelectMany(SecondChoice),
            ["property twice"] = Each(
                spot => spot.Owner is not null && !spot.IsInArray,
                spot => Fault.Insert(spot.Owner!, $"\"{spot.Property.Name}\":{Fault.Text(spot.Property)}", spot.Path)
            ),
            ["empty array"] = Each(
                spot => spot.IsInArray && spot.Path.EndsWith("[0]", StringComparison.Ordinal),
                spot => Fault.ReplaceProperty(spot, "[]")
            ),
            ["empty object"] = Each(
                spot => spot.IsObject && spot.Owner is not null && !spot.Type.Is("Resource"),
                spot => Fault.Replace(spot, "{}")
            ),
            ["empty string"] = Each(
                spot => spot.Primitive is not null && spot.Value.Kind == JsonKind.String,
                spot => Fault.Replace(spot, "\"\"")
            ),
            ["null for a value"] = Each(
                spot => spot.Owner is not null && !spot.IsInArray,
                spot => Fault.Replace(spot, "null")
            ),
            ["null in an array"] = Each(
                spot =>
                    spot.IsInArray
                    && spot.Path.EndsWith("[0]", StringComparison.Ordinal)
                    && !spot.Owner!.Value["_" + spot.Property.Name].Exists,
                spot => Fault.InsertItem(spot, "null", spot.Path)
            ),
            // Types
            ["number for a string"] = Each(
                spot => spot.Primitive is not null && spot.Value.Kind == JsonKind.String,
                spot => Fault.Replace(spot, "5")
            ),
            ["string for a number"] = Each(
                spot => spot.Value.Kind == JsonKind.Number,
                spot => Fault.Replace(spot, $"\"{Fault.Text(spot.Value)}\"")
            ),
            ["string for a boolean"] = Each(
                spot => spot.Value.Kind is JsonKind.True or JsonKind.False,
                spot => Fault.Replace(spot, "\"true\"")
            ),
            ["string for an object"] = Each(
                spot => spot.IsObject && spot.Owner is not null,
                spot => Fault.Replace(spot, "\"x\"")
            ),
            ["object for a primitive"] = Each(
                spot => spot.Primitive is not null,
                spot => Fault.Replace(spot, "{\"value\":\"x\"}")
            ),
            ["unknown resource type"] = Each(
                spot => spot.Type.Is("Resource"),
                spot =>
                    Fault.Replace(
                        spot with
                        {
                            Value = spot.Value["resourceType"u8],
                        },
                        "\"Bogus\"",
                        spot.Owner is null ? "Resource" : $"{spot.Path}.resourceType"
                    )
            ),
            ["no resource type"] = Each(
                spot => spot.Type.Is("Resource"),
                spot => Fault.Remove(spot.Value["resourceType"u8], spot.Owner is null ? "Resource" : spot.Path)
            ),
            ["extensions of a primitive that are no object"] = Each(
                spot =>
                    spot.Primitive is not null
                    && !spot.IsInArray
                    && !spot.Owner!.Value["_" + spot.Property.Name].Exists,
                spot => Fault.Insert(spot.Owner!, $"\"_{spot.Property.Name}\":\"x\"", spot.Path)
            ),
            // Formats
            ["date that is none"] = Each(
                spot => spot.Primitive is "date" or "dateTime" or "instant",
                spot => Fault.Replace(spot, "\"2026-02-30\"")
            ),
            ["date in another order"] = Each(
                spot => spot.Primitive is "date" or "dateTime" or "instant",
                spot => Fault.Replace(spot, "\"11/24/2026\"")
            ),
            ["time without offset"] = Each(
                spot => spot.Primitive is "dateTime" or "instant",
                spot => Fault.Replace(spot, "\"2026-11-24T10:20:00\"")
            ),
            ["hour that is none"] = Each(
                spot => spot.Primitive is "dateTime" or "instant",
                spot => Fault.Replace(spot, "\"2026-11-24T25:20:00Z\"")
            ),
            ["time that is none"] = Each(spot => spot.Primitive is "time", spot => Fault.Replace(spot, "\"25:00:00\"")),
            ["id with a space"] = Each(spot => spot.Primitive is "id", spot => Fault.Replace(spot, "\"a b\"")),
            ["id of 65 characters"] = Each(
                spot => spot.Primitive is "id",
                spot => Fault.Replace(spot, $"\"{new string('a', 65)}\"")
            ),
            ["uri with a space"] = Each(
                spot => spot.Primitive is "uri" or "url" or "canonical",
                spot => Fault.Replace(spot, "\"http://example.org/a b\"")
            ),
            ["code with a space in front"] = Each(
                spot => spot.Primitive is "code",
                spot => Fault.Replace(spot, $"\" {spot.Value.Text}\"")
            ),
            ["base64 that is none"] = Each(
                spot => spot.Primitive is "base64Binary",
                spot => Fault.Replace(spot, "\"#\"")
            ),
            ["whole number with a fraction"] = Each(
                spot => spot.Primitive is "integer" or "positiveInt" or "unsignedInt",
                spot => Fault.Replace(spot, "1.5")
            ),
            ["whole number that is too large"] = Each(
                spot => spot.Primitive is "integer" or "positiveInt" or "unsignedInt",
                spot => Fault.Replace(spot, "2147483648")
            ),
            ["nothing where one at least is counted"] = Each(
                spot => spot.Primitive is "positiveInt",
                spot => Fault.Replace(spot, "0")
            ),
            ["less than nothing"] = Each(
                spot => spot.Primitive is "positiveInt" or "unsignedInt",
                spot => Fault.Replace(spot, "-1")
            ),
            ["decimal of a thousand digits"] = Each(
                spot => spot.Primitive is "decimal",
                spot => Fault.Replace(spot, "0." + new string('1', 1000))
            ),
            ["control character"] = Each(
                spot => spot.Primitive is "string" or "markdown",
                spot => Fault.Replace(spot, "\"a\\u0000b\"")
            ),
            // Codes
            ["code outside a required binding"] = sample => sample.Spots.SelectMany(WrongCode),
            ["code outside a binding that the profile requires"] = WrongCodeOfProfile,
            // References and resources
            ["reference to a type that is not allowed"] = Each(
                spot => spot.Type.Name == "Reference" && spot.Value["reference"u8].Exists && !AllowsGroup(spot),
                spot => Fault.Replace(spot, $"{{\"reference\":{Group}}}")
            ),
            ["reference to a contained resource that is not there"] = Each(
                spot => spot.Type.Name == "Reference",
                spot => Fault.Replace(spot, "{\"reference\":\"#nowhere\"}")
            ),
            ["contained resource that nothing refers to"] = Each(
                spot => spot.Owner is null && !spot.Value["contained"u8].Exists,
                spot =>
                    Fault.Insert(
                        spot,
                        "\"contained\":[{\"resourceType\":\"Basic\",\"id\":\"lonely\",\"code\":{\"text\":\"x\"}}]",
                        $"{spot.Path}.contained[0]"
                    )
            ),
            ["contained resource in a contained one"] = Each(
                spot => spot.Owner is not null && spot.Type.Is("DomainResource"),
                spot =>
                    Fault.Insert(
                        spot,
                        "\"contained\":[{\"resourceType\":\"Basic\",\"id\":\"inner\",\"code\":{\"text\":\"x\"}}]",
                        $"{spot.Path}.contained"
                    )
            ),
            // Extensions
            ["extension without url"] = Each(
                spot => spot.Type.Name == "Extension",
                spot => Fault.Remove(spot.Value["url"u8], $"{spot.Path}.url")
            ),
            ["extension with value and extensions"] = Each(
                spot => spot.Type.Name == "Extension" && !spot.Value["extension"u8].Exists,
                spot =>
                    Fault.Insert(
                        spot,
                        "\"extension\":[{\"url\":\"http://example.org/x\",\"valueBoolean\":true}]",
                        spot.Path
                    )
            ),
            ["extension with nothing"] = Each(
                spot =>
                    spot.IsObject
                    && !spot.Value["extension"u8].Exists
                    && spot.Type.Name is not "Extension"
                    && spot.Type.Is("Element"),
                spot =>
                    Fault.Insert(
                        spot,
                        "\"extension\":[{\"url\":\"http://example.org/x\"}]",
                        $"{spot.Path}.extension[0]"
                    )
            ),
            ["modifier extension without url"] = Each(
                spot => spot.Type.Is("DomainResource") || spot.Type.Name == "BackboneElement",
                spot =>
                    spot.Value["modifierExtension"u8].Exists
                        ? Fault.Insert(spot, "\"bogus\":1", $"{spot.Path}.bogus")
                        : Fault.Insert(
                            spot,
                            "\"modifierExtension\":[{\"valueBoolean\":true}]",
                            $"{spot.Path}.modifierExtension[0].url"
                        )
            ),
            ["modifier extension where none is allowed"] = Each(
                spot =>
                    spot.IsObject
                    && spot.Type.Is("Element")
                    && !spot.Type.Is("BackboneElement")
                    && spot.Type.Child("modifierExtension") is null,
                spot =>
                    Fault.Insert(
                        spot,
                        "\"modifierExtension\":[{\"url\":\"http://example.org/x\",\"valueBoolean\":true}]",
                        $"{spot.Path}.modifierExtension"
                    )
            ),
            // Narrative
            ["narrative without namespace"] = Narrative("<div>text</div>"),
            ["narrative that is not closed"] = Narrative(
                "<div xmlns=\\\"http://www.w3.org/1999/xhtml\\\"><p>text</div>"
            ),
            ["narrative with a script"] = Narrative(
                "<div xmlns=\\\"http://www.w3.org/1999/xhtml\\\"><script>1</script></div>"
            ),
            ["narrative with an event handler"] = Narrative(
                "<div xmlns=\\\"http://www.w3.org/1999/xhtml\\\"><p onclick=\\\"x()\\\">text</p></div>"
            ),
            ["narrative that says nothing"] = Narrative("<div xmlns=\\\"http://www.w3.org/1999/xhtml\\\"> </div>"),
            // Invariants
            ["period that ends before it starts"] = Each(
                spot => spot.Type.Name == "Period",
                spot => Fault.Replace(spot, "{\"start\":\"2026-05-02\",\"end\":\"2026-05-01\"}")
            ),
            ["quantity with a code without system"] = Each(
                spot => spot.Type.Is("Quantity"),
                spot => Fault.Replace(spot, "{\"value\":1,\"code\":\"mg\"}")
            ),
            ["contact without system"] = Each(
                spot => spot.Type.Name == "ContactPoint",
                spot => Fault.Replace(spot, "{\"value\":\"555\"}")
            ),
            ["attachment without content type"] = Each(
                spot => spot.Type.Name == "Attachment",
                spot => Fault.Replace(spot, "{\"data\":\"YWI=\"}")
            ),
            ["timing without unit"] = Each(
                spot => spot.Type.Name == "Timing",
                spot => Fault.Replace(spot, "{\"repeat\":{\"frequency\":1,\"period\":1}}")
            ),
            ["range upside down"] = Each(
                spot => spot.Type.Name == "Range",
                spot => Fault.Replace(spot, "{\"low\":{\"value\":2},\"high\":{\"value\":1}}")
            ),
            ["version of a contained resource"] = Each(
                spot => spot.Owner is not null && spot.Type.Is("DomainResource") && !spot.Value["meta"u8].Exists,
                spot => Fault.Insert(spot, "\"meta\":{\"versionId\":\"1\"}", spot.Owner!.Path)
            ),
            // Profiles of this product
            ["other than the fixed value or pattern"] = OtherThanPattern,
            ["slice that the profile requires dropped"] = RequiredSliceDropped,
            ["slice more often than the profile allows"] = SliceTooOften,
        };

    private static Func<Sample, IEnumerable<Fault>> Each(Func<Spot, bool> where, Func<Spot, Fault> put) =>
        sample => sample.Spots.Where(where).Select(put);

    private static Func<Sample, IEnumerable<Fault>> Narrative(string div) =>
        Each(
            spot => spot.Type.Name == "Narrative",
            spot => Fault.Replace(spot, $"{{\"status\":\"generated\",\"div\":\"{div}\"}}")
        );

    private static bool IsSingle(Spot spot) =>
        spot.Owner is not null && !spot.IsInArray && (spot.Element.BaseMax ?? spot.Element.Max) == 1;

    private static IEnumerable<Fault> Required(Spot spot) =>
        from present in spot.IsObject ? Present(spot) : []
        where present.Element is { Min: > 0 }
        select Fault.Remove(present.Property, Missing(spot, present.Property, NameOf(present.Element)));

    private static IEnumerable<(FhirElement Property, StructureElement Element)> Present(Spot spot)
    {
        var structure = BaseDefinitions.R4.StructureOfType(spot.Element.Path.Split('.')[0])!;
        var path =
            spot.Element.ContentReference is { } reference
                ? reference[(reference.IndexOf('#', StringComparison.Ordinal) + 1)..]
            : spot.Type.Name is "BackboneElement" or "Element" ? spot.Element.Path
            : spot.Type.Name;
        if (!path.Contains('.', StringComparison.Ordinal))
        {
            structure = BaseDefinitions.R4.StructureOfType(path)!;
        }
        foreach (var property in spot.Value.Children)
        {
            if (spot.Type.TryProperty(property.NameUtf8, out var shape))
            {
                var name = spot
                    .Type.Elements.First(element => Array.Exists(element.Properties, other => other.Name == shape.Name))
                    .Name;
                yield return (
                    property,
                    structure.Elements.First(element =>
                        element.Path == $"{path}.{name}" || element.Path == $"{path}.{name}[x]"
                    )
                );
            }
        }
    }

    // Where nothing else is left, the empty object is the fault, and what it lacks would be a consequence.
    private static string Missing(Spot spot, FhirElement property, string name)
    {
        foreach (var other in spot.Value.Children)
        {
            if (other != property && other.Name != "_" + property.Name)
            {
                return $"{spot.Path}.{name}";
            }
        }
        return spot.Path;
    }

    private static string NameOf(StructureElement element) => element.IsChoice ? element.Name[..^3] : element.Name;

    private static IEnumerable<Fault> SecondChoice(Spot spot)
    {
        var other = spot.Element.Types.FirstOrDefault(type =>
            type.Code is "boolean" or "string" or "dateTime" && type.Code != spot.Type.Name
        );
        return other is null
            ? []
            :
            [
                Fault.Insert(
                    spot.Owner!,
                    $"\"{NameOf(spot.Element)}{char.ToUpperInvariant(other.Code[0])}{other.Code[1..]}\":{(other.Code == "boolean" ? "true" : other.Code == "string" ? "\"x\"" : "\"2026\"")}",
                    spot.Path
                ),
            ];
    }

    private static bool AllowsGroup(Spot spot) =>
        spot.Element.Types.Any(type =>
            type.Code == "Reference"
            && (
                type.TargetProfiles.Count == 0
                || type.TargetProfiles.Any(target =>
                    target.EndsWith("/Group", StringComparison.Ordinal)
                    || target.EndsWith("/Resource", StringComparison.Ordinal)
                )
            )
        );

    private static IEnumerable<Fault> WrongCode(Spot spot) => WrongCode(spot, spot.Element.Binding);

    private static IEnumerable<Fault> WrongCode(Spot spot, ElementBinding? binding)
    {
        if (
            binding is not { Strength: BindingStrength.Required, ValueSet: { } set }
            || SetsWithoutList.Contains(DefinitionSet.Split(set).Url)
        )
        {
            return [];
        }
        const string Wrong = "\"no-such-code\"";
        return spot.Type.Name switch
        {
            "code" => [Fault.Replace(spot, Wrong)],
            "Coding" when spot.Value["code"u8] is { Exists: true } code =>
            [
                Fault.Replace(spot with { Value = code }, Wrong),
            ],
            "CodeableConcept" when spot.Value["coding"u8].Exists =>
            [
                Fault.Replace(spot, $"{{\"coding\":[{{\"system\":\"http://example.org/none\",\"code\":{Wrong}}}]}}"),
            ],
            _ => [],
        };
    }

    private static IEnumerable<StructureElement> ElementsOfProfile(Sample sample) =>
        sample.Profile?.Elements.Where(element =>
            !element.Id.Contains(':', StringComparison.Ordinal) && element.Path.Contains('.', StringComparison.Ordinal)
        )
        ?? [];

    private static string Bare(string path) =>
        System.Text.RegularExpressions.Regex.Replace(
            path,
            @"\[\d+\]",
            "",
            System.Text.RegularExpressions.RegexOptions.None,
            TimeSpan.FromSeconds(1)
        );

    private static IEnumerable<Fault> RequiredByProfile(Sample sample) =>
        from element in ElementsOfProfile(sample)
        where element.Min > 0
        let name = NameOf(element)
        let owner = element.Path[..element.Path.LastIndexOf('.')]
        from spot in sample.Spots
        where spot.IsObject && Bare(spot.Path) == owner && spot.Resource == sample.Root
        from present in Present(spot)
        where NameOf(present.Element) == name
        select Fault.Remove(present.Property, Missing(spot, present.Property, name));

    private static IEnumerable<Fault> WrongCodeOfProfile(Sample sample) =>
        from element in ElementsOfProfile(sample)
        from spot in sample.Spots
        where Bare(spot.Path) == (element.IsChoice ? element.Path[..^3] : element.Path)
        from fault in WrongCode(spot, element.Binding)
        select fault;

    private static IEnumerable<Fault> OtherThanPattern(Sample sample) =>
        from element in ElementsOfProfile(sample)
        where element.Fixed is not null || element.Pattern is not null
        from spot in sample.Spots
        where Bare(spot.Path) == element.Path
        from fault in Different(spot)
        select fault;

    private static IEnumerable<Fault> Different(Spot spot) =>
        spot.Type.Name switch
        {
            "code" => spot.Element.Path switch
            {
                "CarePlan.intent" => [Fault.Replace(spot, "\"proposal\"")],
                "Claim.use" => [Fault.Replace(spot, "\"predetermination\"")],
                "Task.intent" => [Fault.Replace(spot, "\"plan\"")],
                _ => [],
            },
            "CodeableConcept" => [Fault.Replace(spot, "{\"text\":\"another\"}")],
            _ => [],
        };

    // Slices of the profile that are told apart by a pattern of their own or a fixed system.
    private static IEnumerable<(StructureElement Slice, Spot[] Members)> Slices(Sample sample) =>
        from slice in sample.Profile?.Elements ?? []
        where
            slice.SliceName is not null
            && slice.Id.Count(character => character == ':') == 1
            && slice.Id.EndsWith(':' + slice.SliceName, StringComparison.Ordinal)
        let all = sample.Spots.Where(spot => Bare(spot.Path) == slice.Path).ToArray()
        let members = all.Where(spot => IsMember(sample.Profile!, slice, spot.Value)).ToArray()
        where members.Length > 0
        select (slice, members);

    private static bool IsMember(Structure profile, StructureElement slice, FhirElement value)
    {
        var system = profile.Elements.FirstOrDefault(element => element.Id == slice.Id + ".system")?.Fixed?.Value.Text;
        var pattern =
            slice.Pattern?.Value["coding"u8]
            ?? profile.Elements.FirstOrDefault(element => element.Id == slice.Id + ".type")?.Pattern?.Value["coding"u8]
            ?? default;
        return system is not null ? value["system"u8].Text == system
            : pattern.Exists
                ? Fault.Text(value).Contains($"\"{First(pattern)["code"u8].Text}\"", StringComparison.Ordinal)
            : slice.Types is [{ Profiles: [{ } url, ..] }] && value["url"u8].Text == url;
    }

    private static FhirElement First(FhirElement array)
    {
        foreach (var item in array.Items)
        {
            return item;
        }
        return default;
    }

    private static IEnumerable<Fault> RequiredSliceDropped(Sample sample) =>
        from slice in Slices(sample)
        where slice.Slice.Min > 0 && slice.Members.Length == 1
        let spot = slice.Members[0]
        select Fault.Replace(
            spot,
            spot.Type.Name == "CodeableConcept" ? "{\"text\":\"another\"}"
                : spot.Type.Name == "Coding" ? "{\"system\":\"http://example.org/none\",\"code\":\"x\"}"
                : "{\"system\":\"http://example.org/none\",\"value\":\"x\"}",
            Fault.WithoutIndex(spot.Path)
        );

    private static IEnumerable<Fault> SliceTooOften(Sample sample) =>
        from slice in Slices(sample)
        where slice.Slice.Max is { } max && max < 10
        let spot = slice.Members[0]
        select Fault.InsertItem(
            spot,
            string.Join(',', Enumerable.Repeat(Fault.Text(spot.Value), slice.Slice.Max!.Value)),
            Fault.WithoutIndex(spot.Path)
        );
}

using CcmFhir.Validation.FhirPath;
using CcmFhir.Validation.Terminology;

namespace CcmFhir.Validation;

/// <summary>What FHIRPath asks the validation that it runs in: resolve(), memberOf(), conformsTo(). What is not known here ends the evaluation,
/// so that the invariant counts as not checked instead of broken.</summary>
internal sealed class Questions(Walk walk)
{
    public FhirElement Resolve(FhirElement from, string reference) =>
        walk.Resources.Resolve(from, reference) is { Exists: true } target ? target
        : reference.StartsWith('#') ? default
        : throw new FhirPathException($"{Nearest.Shown(reference)} is not in the document.")
        {
            IsTargetElsewhere = true,
        };

    public bool? MemberOf(FhirPathValue value, string canonical)
    {
        var set = walk.Compiler.Terminology.ValueSet(canonical);
        var element = value.Element;
        var answer =
            element.Kind != JsonKind.Object
                ? value.Text is { } text
                    ? set.Find(System.Text.Encoding.UTF8.GetBytes(text))
                    : Membership.NotIn
                : element["coding"u8].Exists
                    ? set.OfConcept(element)
                    : set.OfCoding(element);
        return answer == Membership.NotKnown
            ? throw new FhirPathException($"The codes of {canonical} are not known here.")
            : answer == Membership.In;
    }

    public bool? ConformsTo(FhirElement element, string canonical)
    {
        if (walk.Compiler.Profile(canonical, out var problem) is not { } profile)
        {
            throw new FhirPathException(problem ?? $"The profile {canonical} is not known here.");
        }
        var type = walk.Compiler.ResourceType(element) ?? walk.Compiler.Link(profile.Structure.Type)!;
        return walk.Compiler.IsOrSpecializes(type.Code, profile.Structure.Type)
            && walk.Passes(profile.Structure.IsProfile ? profile.Shape : Shape.Empty, new Spot(element, default, type));
    }
}

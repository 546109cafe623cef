using CcmFhir.Validation.Definitions;

namespace CcmFhir.Validation.Rules;

/// <summary>One kind of rule: turns what a definition says about an element into checks. <see cref="ProfileCompiler"/> lists them all.</summary>
internal abstract class Rule
{
    /// <summary>Adds the checks that the element needs beyond what its base has already.</summary>
    public abstract void Compile(ElementScope scope, ElementChecks into);
}

/// <summary>An element being compiled.</summary>
/// <param name="Compiler">For types, profiles and terminology.</param>
/// <param name="Node">The element.</param>
/// <param name="Base">The same element in its base type, which is checked anyway; null when a type itself is compiled.</param>
/// <param name="Types">Types that the base type allows here.</param>
internal sealed record ElementScope(ProfileCompiler Compiler, ElementNode Node, ElementNode? Base, TypeLink[] Types)
{
    public StructureElement Element => Node.Element;

    /// <summary>The root of a structure: checks are about the value itself, wherever it stands.</summary>
    public bool IsRoot => Node.Parent is null;

    /// <summary>Canonical for issues; null for the rules of base R4.</summary>
    public string? Profile => Node.Structure.IsProfile ? Node.Structure.Url : null;

    /// <summary>Name without [x].</summary>
    public string Name => Element.IsChoice ? Element.Name[..^3] : Element.Name;
}

/// <summary>Checks collected for one element.</summary>
internal sealed class ElementChecks
{
    public List<ListCheck> OfList { get; } = [];

    public List<ValueCheck> OfValue { get; } = [];
}

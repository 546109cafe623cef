namespace CcmFhir.Validation.Definitions;

/// <summary>The computable facts of one SearchParameter.</summary>
/// <param name="Url">Canonical.</param>
/// <param name="Code">Name in the URL of a search: <c>birthdate</c>.</param>
/// <param name="Bases">Resource types it belongs to; <c>Resource</c> and <c>DomainResource</c> stand for all.</param>
/// <param name="Type">number, date, string, token, reference, composite, quantity, uri or special.</param>
/// <param name="Expression">FHIRPath, a union over all bases (<c>Patient.name | Person.name</c>); null when there is none.</param>
/// <param name="Targets">For a reference: allowed target types.</param>
/// <param name="Components">For a composite: its parts.</param>
public sealed record SearchParameterFacts(
    string Url,
    string Code,
    IReadOnlyList<string> Bases,
    string Type,
    string? Expression,
    IReadOnlyList<string> Targets,
    IReadOnlyList<SearchComponent> Components
);

/// <summary>One part of a composite search parameter.</summary>
/// <param name="Definition">Canonical of the part's own SearchParameter.</param>
/// <param name="Expression">FHIRPath from the composite's expression to the part.</param>
public sealed record SearchComponent(string Definition, string Expression);

/// <summary>Which resources belong to a compartment such as a patient's.</summary>
/// <param name="Code">Patient, Encounter, RelatedPerson, Practitioner or Device.</param>
/// <param name="Parameters">Resource type to the search parameters of which one must point at the owner;
/// <c>{def}</c> stands for the owner itself. Types that are not in it never belong.</param>
public sealed record CompartmentFacts(string Code, IReadOnlyDictionary<string, IReadOnlyList<string>> Parameters);

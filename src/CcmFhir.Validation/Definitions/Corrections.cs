using System.Collections.Frozen;

namespace CcmFhir.Validation.Definitions;

/// <summary>Known faults of the published definitions of R4 (4.0.1), each with its mended form and the reason. They are mended while
/// reading, since every profile's snapshot repeats the invariants of its base.</summary>
public static class Corrections
{
    private static readonly FrozenDictionary<string, string> Expressions = new[]
    {
        // An entry may have no fullUrl (responses, transactions); contains() of nothing is nothing, which is not true. R5 has this form.
        ("fullUrl.contains('/_history/').not()", "fullUrl.exists() implies fullUrl.contains('/_history/').not()"),
        // A prediction may have no probability, or a range; "is" of nothing is nothing.
        (
            "probability is decimal implies (probability as decimal) <= 100",
            "probability.ofType(decimal).all($this <= 100)"
        ),
        // A reference by identifier has no reference; and '#' alone is the container (R4B and R5 have this form).
        (
            "reference.startsWith('#').not() or (reference.substring(1).trace('url') in %rootResource.contained.id.trace('ids'))",
            "reference.exists() implies (reference.startsWith('#').not() or (reference.substring(1).trace('url') in %rootResource.contained.id.trace('ids')) or (reference = '#' and %rootResource != %resource))"
        ),
        // Most names are optional; matches() of nothing is nothing. R5 has this form.
        (
            "name.matches('[A-Z]([A-Za-z0-9_]){0,254}')",
            "name.exists() implies name.matches('[A-Z]([A-Za-z0-9_]){0,254}')"
        ),
        // "in" takes one value on its left, and "when" repeats. R5 has this form.
        (
            "offset.empty() or (when.exists() and ((when in ('C' | 'CM' | 'CD' | 'CV')).not()))",
            "offset.empty() or (when.exists() and when.select($this in ('C' | 'CM' | 'CD' | 'CV')).allFalse())"
        ),
        // A profile may bind to a ValueSet that it contains. R4B allows it.
        (
            "valueSet.exists() implies (valueSet.startsWith('http:') or valueSet.startsWith('https') or valueSet.startsWith('urn:'))",
            "valueSet.exists() implies (valueSet.startsWith('http:') or valueSet.startsWith('https') or valueSet.startsWith('urn:') or valueSet.startsWith('#'))"
        ),
        // A category is a CodeableConcept and never equals a string, so the rule complained of every category; "active unless it is
        // no problem-list item" is what it says in words.
        (
            "clinicalStatus.exists() or verificationStatus.coding.where(system='http://terminology.hl7.org/CodeSystem/condition-ver-status' and code = 'entered-in-error').exists() or category.select($this='problem-list-item').empty()",
            "clinicalStatus.exists() or verificationStatus.coding.where(system='http://terminology.hl7.org/CodeSystem/condition-ver-status' and code = 'entered-in-error').exists() or category.coding.where(code = 'problem-list-item').empty()"
        ),
        // Two dates of different precision (2024-05 and 2024-05-10) or two quantities of different units may have no order:
        // the comparison is empty, which proves no fault. R5 compares the boundaries.
        (
            "start.hasValue().not() or end.hasValue().not() or (start <= end)",
            "start.hasValue().not() or end.hasValue().not() or (start <= end) or (start <= end).empty()"
        ),
        (
            "low.empty() or high.empty() or (low <= high)",
            "low.empty() or high.empty() or (low <= high) or (low <= high).empty()"
        ),
        (
            "lastModified.exists().not() or authoredOn.exists().not() or lastModified >= authoredOn",
            "lastModified.exists().not() or authoredOn.exists().not() or lastModified >= authoredOn or (lastModified >= authoredOn).empty()"
        ),
        (
            "whenHandedOver.empty() or whenPrepared.empty() or whenHandedOver >= whenPrepared",
            "whenHandedOver.empty() or whenPrepared.empty() or whenHandedOver >= whenPrepared or (whenHandedOver >= whenPrepared).empty()"
        ),
        // Vital signs taken over a Period have no dateTime to be precise.
        ("($this as dateTime).toString().length() >= 8", "($this is dateTime) implies $this.toString().length() >= 8"),
        // The answer is FHIR's boolean; System.Boolean is what some engines call it.
        (
            "operator = 'exists' implies (answer is Boolean)",
            "operator = 'exists' implies (answer is boolean or answer is Boolean)"
        ),
    }.ToFrozenDictionary(pair => pair.Item1, pair => pair.Item2, StringComparer.Ordinal);

    private static readonly FrozenDictionary<string, string> Patterns = new[]
    {
        // \S leaves out spaces beyond ASCII, such as the no-break space that people paste. R5 has this form.
        (@"[ \r\n\t\S]+", @"[\s\S]+"),
    }.ToFrozenDictionary(pair => pair.Item1, pair => pair.Item2, StringComparer.Ordinal);

    /// <summary>The invariant's expression as it should have been published.</summary>
    public static string Expression(string published) => Expressions.GetValueOrDefault(published, published);

    /// <summary>The regular expression of a primitive as it should have been published.</summary>
    public static string Pattern(string published) => Patterns.GetValueOrDefault(published, published);

    /// <summary>Every expression that is mended: as published, and as it is used here.</summary>
    public static IEnumerable<(string Published, string Mended)> All =>
        Expressions.Select(pair => (pair.Key, pair.Value));
}

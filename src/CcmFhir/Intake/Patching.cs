using CcmFhir.Validation;

namespace CcmFhir.Intake;

/// <summary>Applies a patch: JSON Patch (in a Bundle as a Binary) or FHIRPath Patch (Parameters).</summary>
internal static class Patching
{
    /// <summary>The resource as patched; null, with the reason at the entry, when the patch cannot be applied.</summary>
    public static FhirElement? Apply(Entry entry, FhirElement before)
    {
        entry.Refuse(422, "not-supported", "patch", "x" + before.Kind);
        return null;
    }
}

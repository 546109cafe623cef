namespace CcmFhir.Validation.Definitions;

/// <summary>The base of FHIR R4 (4.0.1) with HL7's terminology, from the pack inside this assembly.</summary>
public static class BaseDefinitions
{
    private static readonly Lazy<DefinitionSet> Loaded = new(() =>
        new DefinitionSet(
            DefinitionPack.Read(
                () =>
                    typeof(BaseDefinitions).Assembly.GetManifestResourceStream("r4.pack")
                    ?? throw new InvalidOperationException("The assembly was built without its pack of definitions."),
                "r4.pack"
            )
        )
    );

    /// <summary>The set; opened when it is first asked for.</summary>
    public static DefinitionSet R4 => Loaded.Value;
}

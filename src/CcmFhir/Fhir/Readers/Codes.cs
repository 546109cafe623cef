namespace CcmFhir.Fhir.Readers;

/// <summary>Canonicals and code systems that we read and write (docs/contract.md). All are identifiers, compared as text.</summary>
internal static class Codes
{
    /// <summary>Base of our canonicals.</summary>
    public const string Base = "http://ccmfhir.org/fhir";

    /// <summary>CPT.</summary>
    public const string Cpt = "http://www.ama-assn.org/go/cpt";

    /// <summary>HCPCS level II, as it is written.</summary>
    public const string Hcpcs = "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets";

    /// <summary>HCPCS level II, as some write it.</summary>
    public const string HcpcsHttps = "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets";

    /// <summary>ICD-10-CM.</summary>
    public const string Icd10Cm = "http://hl7.org/fhir/sid/icd-10-cm";

    /// <summary>National Provider Identifier.</summary>
    public const string Npi = "http://hl7.org/fhir/sid/us-npi";

    /// <summary>Medicare Beneficiary Identifier.</summary>
    public const string Mbi = "http://hl7.org/fhir/sid/us-mbi";

    /// <summary>Place of service.</summary>
    public const string PlaceOfService =
        "https://www.cms.gov/Medicare/Coding/place-of-service-codes/Place_of_Service_Code_Set";

    /// <summary>Canonical of an extension of ours.</summary>
    public static string Extension(string name) => $"{Base}/StructureDefinition/{name}";

    /// <summary>Canonical of a code system of ours.</summary>
    public static string System(string name) => $"{Base}/CodeSystem/{name}";
}

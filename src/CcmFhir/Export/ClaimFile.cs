namespace CcmFhir.Export;

/// <summary>What a claim file says of one claim, in the words of X12 and the paper forms; made from the FHIR Claim and what it refers to.</summary>
internal sealed record ClaimFileClaim
{
    /// <summary>Logical id of the Claim.</summary>
    public required string ClaimId { get; init; }

    /// <summary>Patient control number (CLM01): ours, comes back on the remittance; 20 characters.</summary>
    public required string ControlNumber { get; init; }

    /// <summary>Institutional (837I: RHC, FQHC) or professional (837P).</summary>
    public required bool Institutional { get; init; }

    /// <summary>Sum of the lines, USD.</summary>
    public required decimal Total { get; init; }

    /// <summary>Place of service code.</summary>
    public required string PlaceOfService { get; init; }

    /// <summary>1 original, 7 replacement, 8 void (CLM05-3).</summary>
    public required int Frequency { get; init; }

    /// <summary>Number of the claim that this one replaces or voids (REF F8): the payer's where it has answered, else our control number of it;
    /// null for an original.</summary>
    public string? OriginalNumber { get; init; }

    /// <summary>The insured, who for Medicare is the patient.</summary>
    public required ClaimFilePerson Patient { get; init; }

    /// <summary>Where the patient lives.</summary>
    public required ClaimFileAddress Address { get; init; }

    /// <summary>Member id: the Medicare Beneficiary Identifier.</summary>
    public required string MemberId { get; init; }

    /// <summary>Date of birth.</summary>
    public required DateOnly BirthDate { get; init; }

    /// <summary>M, F or U.</summary>
    public required char Sex { get; init; }

    /// <summary>Who rendered the service; for institutional claims the attending.</summary>
    public required ClaimFilePerson Rendering { get; init; }

    /// <summary>That person's NPI.</summary>
    public required string RenderingNpi { get; init; }

    /// <summary>First and last day of the statement.</summary>
    public required (DateOnly From, DateOnly To) Statement { get; init; }

    /// <summary>ICD-10-CM codes with their dot, the principal one first; 1 to 12.</summary>
    public required IReadOnlyList<string> Diagnoses { get; init; }

    /// <summary>Service lines; at least one.</summary>
    public required IReadOnlyList<ClaimFileLine> Lines { get; init; }
}

/// <summary>A person's name.</summary>
internal sealed record ClaimFilePerson(string Last, string? First, string? Middle);

/// <summary>A postal address in the United States.</summary>
/// <param name="Line">Street.</param>
/// <param name="Line2">Second line; null for none.</param>
/// <param name="City">City.</param>
/// <param name="State">Two letters.</param>
/// <param name="PostalCode">Five or nine digits, with or without a hyphen.</param>
internal sealed record ClaimFileAddress(string Line, string? Line2, string City, string State, string PostalCode);

/// <summary>One service line.</summary>
/// <param name="Code">CPT or HCPCS code.</param>
/// <param name="Modifiers">Modifiers, at most four.</param>
/// <param name="Units">Units of service.</param>
/// <param name="Charge">Charge for all units, USD.</param>
/// <param name="From">Date of service, or the first of a range.</param>
/// <param name="Through">Last date of a range (included); null for a single date.</param>
/// <param name="Pointers">Diagnoses that the line points at, by number from 1; at most four.</param>
internal sealed record ClaimFileLine(
    string Code,
    IReadOnlyList<string> Modifiers,
    int Units,
    decimal Charge,
    DateOnly From,
    DateOnly? Through,
    IReadOnlyList<int> Pointers
);

/// <summary>Why a claim cannot stand in an 837 file.</summary>
/// <param name="ClaimId">The claim.</param>
/// <param name="Text">Which element of which resource is missing, and which segment needs it; ids, no names.</param>
internal sealed record ClaimFileFault(string ClaimId, string Text);

namespace CcmFhir.Export;

/// <summary>What a claim file says of one claim, in the words of X12 and the paper forms; made from the FHIR Claim and what it refers to.</summary>
internal sealed record ClaimFileClaim
{
    /// <summary>Patient control number (CLM01): ours, comes back on the remittance; at most 20 characters.</summary>
    public required string ControlNumber { get; init; }

    /// <summary>Institutional (837I: RHC, FQHC) or professional (837P).</summary>
    public required bool Institutional { get; init; }

    /// <summary>Type of bill without its frequency digit (71 RHC, 77 FQHC), for institutional claims.</summary>
    public string? BillType { get; init; }

    /// <summary>Sum of the lines, USD.</summary>
    public required decimal Total { get; init; }

    /// <summary>Place of service code.</summary>
    public required string PlaceOfService { get; init; }

    /// <summary>1 original, 7 replacement, 8 void (CLM05-3).</summary>
    public required int Frequency { get; init; }

    /// <summary>The payer's number of the claim that this one replaces or voids (REF F8); needed for 7 and 8.</summary>
    public string? PayerControlNumber { get; init; }

    /// <summary>The insured, who for Medicare is the patient.</summary>
    public required ClaimFilePerson Patient { get; init; }

    /// <summary>Member id: the Medicare Beneficiary Identifier.</summary>
    public required string MemberId { get; init; }

    /// <summary>Date of birth.</summary>
    public required DateOnly BirthDate { get; init; }

    /// <summary>M, F or U.</summary>
    public required char Sex { get; init; }

    /// <summary>Name of the payer.</summary>
    public required string PayerName { get; init; }

    /// <summary>Id of the payer at the clearinghouse.</summary>
    public required string PayerId { get; init; }

    /// <summary>MB Medicare Part B, MA Part A (institutional), 16 Medicare Advantage ... (SBR09).</summary>
    public required string FilingIndicator { get; init; }

    /// <summary>Who rendered the service; for institutional claims the attending.</summary>
    public required ClaimFilePerson Rendering { get; init; }

    /// <summary>That person's NPI.</summary>
    public required string RenderingNpi { get; init; }

    /// <summary>First and last day of the statement.</summary>
    public required (DateOnly From, DateOnly To) Statement { get; init; }

    /// <summary>ICD-10-CM codes with their dot, the principal one first; at most 12 are sent.</summary>
    public required IReadOnlyList<string> Diagnoses { get; init; }

    /// <summary>Service lines; at least one.</summary>
    public required IReadOnlyList<ClaimFileLine> Lines { get; init; }
}

/// <summary>A person's name and address.</summary>
internal sealed record ClaimFilePerson(string Last, string First, string? Middle, ClaimFileAddress? Address);

/// <summary>A postal address in the United States.</summary>
internal sealed record ClaimFileAddress(string Line, string City, string State, string PostalCode);

/// <summary>One service line.</summary>
/// <param name="Code">CPT or HCPCS code.</param>
/// <param name="Units">Units of service.</param>
/// <param name="Charge">Charge for all units, USD.</param>
/// <param name="Date">Date of service.</param>
/// <param name="Pointers">Diagnoses that the line points at, by number from 1; at most four are sent.</param>
/// <param name="RevenueCode">Revenue code, for institutional claims.</param>
internal sealed record ClaimFileLine(
    string Code,
    int Units,
    decimal Charge,
    DateOnly Date,
    IReadOnlyList<int> Pointers,
    string? RevenueCode = null
);

/// <summary>Who sends, who receives, who bills.</summary>
internal sealed record ClaimFileEnvelope
{
    /// <summary>Our id at the clearinghouse (ISA06, GS02).</summary>
    public required string SenderId { get; init; }

    /// <summary>The clearinghouse's id (ISA08, GS03).</summary>
    public required string ReceiverId { get; init; }

    /// <summary>The clearinghouse's name (1000B).</summary>
    public required string ReceiverName { get; init; }

    /// <summary>Control number of the interchange, 1 to 999,999,999.</summary>
    public required int ControlNumber { get; init; }

    /// <summary>When the file is written, in the practice's time zone.</summary>
    public required DateTimeOffset Written { get; init; }

    /// <summary>P production, T test (ISA15).</summary>
    public required char Usage { get; init; }

    /// <summary>Billing provider: name, NPI, TIN, taxonomy, address, phone.</summary>
    public required string BillingName { get; init; }

    /// <summary>Billing provider's NPI.</summary>
    public required string BillingNpi { get; init; }

    /// <summary>Billing provider's tax id.</summary>
    public required string BillingTin { get; init; }

    /// <summary>Billing provider's taxonomy code; null where the payer asks for none.</summary>
    public string? BillingTaxonomy { get; init; }

    /// <summary>Billing provider's street address (no post box: X12 005010X222, 2010AA N3).</summary>
    public required ClaimFileAddress BillingAddress { get; init; }

    /// <summary>Phone for questions, digits only.</summary>
    public required string ContactPhone { get; init; }
}

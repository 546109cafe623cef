using CcmFhir.Domain;
using CcmFhir.Journal;

namespace CcmFhir.Audit;

/// <summary>Everything an auditor asks for behind a patient's month, in the words of a reader; written as a FHIR document and as a page.</summary>
/// <param name="Practice">Who bills.</param>
/// <param name="Patient"><c>Patient/id</c>.</param>
/// <param name="Month">The month.</param>
/// <param name="MadeAt">When the packet was made, UTC.</param>
/// <param name="Final">A claim was issued: the packet shows the month as it stood then. Otherwise it is preliminary.</param>
/// <param name="Sections">What it says, in order.</param>
/// <param name="Resources">Resources that it rests on, each in the version that counted.</param>
internal sealed record AuditPacket(
    Practice Practice,
    string Patient,
    ServiceMonth Month,
    DateTimeOffset MadeAt,
    bool Final,
    IReadOnlyList<AuditSection> Sections,
    IReadOnlyList<StoredResource> Resources
)
{
    /// <summary>Title of document and page.</summary>
    public string Title => $"Audit of {Patient}, {Month}, {Practice.Name}";
}

/// <summary>One section.</summary>
/// <param name="Code">Word that names it to programs.</param>
/// <param name="Title">Heading.</param>
/// <param name="Paragraphs">Sentences.</param>
/// <param name="Table">Table; null for none.</param>
/// <param name="References">Resources that it speaks of; those of them that are in the packet become entries.</param>
public sealed record AuditSection(
    string Code,
    string Title,
    IReadOnlyList<string> Paragraphs,
    AuditTable? Table,
    IReadOnlyList<string> References
);

/// <summary>A table.</summary>
/// <param name="Head">Column headings.</param>
/// <param name="Rows">Rows, each with as many cells.</param>
public sealed record AuditTable(IReadOnlyList<string> Head, IReadOnlyList<IReadOnlyList<string>> Rows);

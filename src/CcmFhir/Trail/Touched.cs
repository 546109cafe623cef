namespace CcmFhir.Trail;

/// <summary>What a request gave out and wrote, collected on the way for the audit trail.</summary>
internal sealed class Touched
{
    private SortedSet<string>? patients;
    private List<WrittenEntry>? wrote;

    /// <summary>Logical ids of the patients whose data is given out; null for none.</summary>
    public IReadOnlyList<string>? Patients => patients is null ? null : [.. patients];

    /// <summary>Journal entries that were written; null for none.</summary>
    public IReadOnlyList<WrittenEntry>? Entries => wrote;

    /// <summary>Data of a patient is given out.</summary>
    /// <param name="patient">Logical id; null for what belongs to no patient.</param>
    public void Saw(string? patient)
    {
        if (patient is not null)
        {
            (patients ??= new SortedSet<string>(StringComparer.Ordinal)).Add(patient);
        }
    }

    /// <summary>An entry was written.</summary>
    public void Wrote(string stream, long position) => (wrote ??= []).Add(new WrittenEntry(stream, position));
}

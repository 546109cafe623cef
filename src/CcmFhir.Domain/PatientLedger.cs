namespace CcmFhir.Domain;

/// <summary>What is known of one patient, sorted by kind: the fold of all facts, in an order that does not depend on how they arrived.</summary>
public sealed class PatientLedger
{
    private PatientLedger(string patient) => Patient = patient;

    /// <summary><c>Patient/id</c>.</summary>
    public string Patient { get; }

    /// <summary>The Patient resource; null where it was never received.</summary>
    public PatientFact? Person { get; private set; }

    /// <summary>Time logs of all months.</summary>
    public IReadOnlyList<TimeLogFact> Logs { get; private init; } = [];

    /// <summary>Conditions.</summary>
    public IReadOnlyList<ConditionFact> Conditions { get; private init; } = [];

    /// <summary>Consents.</summary>
    public IReadOnlyList<ConsentFact> Consents { get; private init; } = [];

    /// <summary>Care plans.</summary>
    public IReadOnlyList<CarePlanFact> Plans { get; private init; } = [];

    /// <summary>Visits.</summary>
    public IReadOnlyList<VisitFact> Visits { get; private init; } = [];

    /// <summary>Facility stays.</summary>
    public IReadOnlyList<StayFact> Stays { get; private init; } = [];

    /// <summary>Services billed by anybody.</summary>
    public IReadOnlyList<BilledServiceFact> Services { get; private init; } = [];

    /// <summary>Attestations of medical decision making.</summary>
    public IReadOnlyList<MdmFact> Attestations { get; private init; } = [];

    /// <summary>Insurance.</summary>
    public IReadOnlyList<CoverageFact> Coverages { get; private init; } = [];

    /// <summary>ACCESS alignments.</summary>
    public IReadOnlyList<AccessAlignmentFact> Alignments { get; private init; } = [];

    /// <summary>Sorts the facts of one patient.</summary>
    /// <param name="patient"><c>Patient/id</c>.</param>
    /// <param name="facts">In any order; each resource once.</param>
    public static PatientLedger Fold(string patient, IEnumerable<CareFact> facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        var sorted = facts.OrderBy(fact => fact.Reference, StringComparer.Ordinal).ToList();
        return new PatientLedger(patient)
        {
            Person = sorted.OfType<PatientFact>().FirstOrDefault(),
            Logs = [.. sorted.OfType<TimeLogFact>()],
            Conditions = [.. sorted.OfType<ConditionFact>()],
            Consents = [.. sorted.OfType<ConsentFact>()],
            Plans = [.. sorted.OfType<CarePlanFact>()],
            Visits = [.. sorted.OfType<VisitFact>()],
            Stays = [.. sorted.OfType<StayFact>()],
            Services = [.. sorted.OfType<BilledServiceFact>()],
            Attestations = [.. sorted.OfType<MdmFact>()],
            Coverages = [.. sorted.OfType<CoverageFact>()],
            Alignments = [.. sorted.OfType<AccessAlignmentFact>()],
        };
    }
}

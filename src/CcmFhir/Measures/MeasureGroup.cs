namespace CcmFhir.Measures;

/// <summary>A group of a measure's report.</summary>
/// <param name="Code">Its code, as the Measure has it.</param>
/// <param name="Populations">Its populations.</param>
/// <param name="Score">Its score; null for none.</param>
/// <param name="Strata">Parts of it: by what, and each value's count and score.</param>
internal sealed record MeasureGroup(
    string Code,
    IReadOnlyList<MeasurePopulation> Populations,
    MeasureScore? Score = null,
    IReadOnlyList<MeasureStratifier>? Strata = null
);

/// <summary>A population.</summary>
/// <param name="Code">Code of <c>measure-population</c>.</param>
/// <param name="Count">How many.</param>
/// <param name="Subjects">Who, where members are patients; null where they are something else.</param>
internal sealed record MeasurePopulation(string Code, int Count, IReadOnlyList<string>? Subjects)
{
    /// <summary>A population of patients.</summary>
    public static MeasurePopulation Of(string code, IEnumerable<PatientFigures> patients)
    {
        var subjects = patients.Select(patient => patient.Patient).ToList();
        return new MeasurePopulation(code, subjects.Count, subjects);
    }
}

/// <summary>A score.</summary>
/// <param name="Value">Its value.</param>
/// <param name="Unit">UCUM <c>min</c>, <c>USD</c>, or null for a proportion.</param>
internal sealed record MeasureScore(decimal Value, string? Unit);

/// <summary>A stratifier.</summary>
/// <param name="Code">By what.</param>
/// <param name="Values">Each value with its count and score, in ordinal order.</param>
internal sealed record MeasureStratifier(
    string Code,
    IReadOnlyList<(string Value, int Count, MeasureScore? Score)> Values
);

/// <summary>The measures: each turns the figures of patients into the groups of its report. Definitions for people stand in the Measure resources
/// of the package.</summary>
internal static class MeasureTable
{
    /// <summary>Measures by logical id, in order.</summary>
    public static IReadOnlyDictionary<
        string,
        Func<IReadOnlyList<PatientFigures>, IReadOnlyList<MeasureGroup>>
    > All { get; } =
        new SortedDictionary<string, Func<IReadOnlyList<PatientFigures>, IReadOnlyList<MeasureGroup>>>(
            StringComparer.Ordinal
        )
        {
            ["ccm-program"] = Program,
            ["ccm-revenue"] = Revenue,
            ["ccm-denials"] = Denials,
            ["ccm-minutes"] = Minutes,
            ["ccm-readmissions"] = Readmissions,
            ["ccm-medication-reconciliation"] = Reconciliation,
        };

    private static IReadOnlyList<MeasureGroup> Program(IReadOnlyList<PatientFigures> patients) =>
        [
            Cohort("enrolled", patients.Where(one => one.Enrolled)),
            Cohort("consented", patients.Where(one => one.Consented)),
            Cohort("engaged", patients.Where(one => one.Engaged)),
            Cohort("billed", patients.Where(one => one.Billed)),
            Cohort("plans-overdue", patients.Where(one => one.PlanOverdue)),
        ];

    private static IReadOnlyList<MeasureGroup> Revenue(IReadOnlyList<PatientFigures> patients)
    {
        var lines = patients.SelectMany(one => one.Lines).ToList();
        return
        [
            new MeasureGroup(
                "revenue",
                [
                    MeasurePopulation.Of("initial-population", patients.Where(one => one.Billed)),
                    new MeasurePopulation("measure-population", lines.Sum(line => line.Units), null),
                ],
                new MeasureScore(lines.Sum(line => line.Net), "USD"),
                [
                    Strata(
                        "code",
                        lines.GroupBy(line => line.Code),
                        group => (group.Sum(line => line.Units), new MeasureScore(group.Sum(line => line.Net), "USD"))
                    ),
                ]
            ),
        ];
    }

    private static IReadOnlyList<MeasureGroup> Denials(IReadOnlyList<PatientFigures> patients)
    {
        MeasureGroup By(string code, Func<PatientFigures, IEnumerable<string>> reasons) =>
            new(
                code,
                [MeasurePopulation.Of("initial-population", patients.Where(one => reasons(one).Any()))],
                null,
                [
                    Strata(
                        "reason",
                        patients.SelectMany(reasons).GroupBy(reason => reason),
                        group => (group.Count(), null)
                    ),
                ]
            );
        return [By("not-billed", one => one.Denials), By("denied-by-payer", one => one.PayerReasons)];
    }

    private static IReadOnlyList<MeasureGroup> Minutes(IReadOnlyList<PatientFigures> patients)
    {
        var entries = patients.SelectMany(one => one.Entries).ToList();
        static MeasureScore Score(IEnumerable<Domain.LedgerEntry> some) =>
            new(Math.Round(some.Sum(entry => entry.Counted.Seconds) / 60m, 2, MidpointRounding.AwayFromZero), "min");
        return
        [
            new MeasureGroup(
                "minutes",
                [
                    MeasurePopulation.Of("initial-population", patients.Where(one => one.Worked)),
                    new MeasurePopulation("measure-population", entries.Count, null),
                ],
                Score(entries),
                [
                    Strata(
                        "activity",
                        entries.GroupBy(entry => entry.Log.Activity),
                        group => (group.Count(), Score(group))
                    ),
                    Strata(
                        "staff",
                        entries.GroupBy(entry => entry.Log.Owner.Length == 0 ? "unknown" : entry.Log.Owner),
                        group => (group.Count(), Score(group))
                    ),
                ]
            ),
        ];
    }

    private static IReadOnlyList<MeasureGroup> Readmissions(IReadOnlyList<PatientFigures> patients)
    {
        var all = patients.SelectMany(one => one.Discharges).ToList();
        return
        [
            Proportion(
                "readmissions",
                new MeasurePopulation("initial-population", all.Count, null),
                new MeasurePopulation("denominator", all.Count, null),
                new MeasurePopulation("numerator", all.Count(readmitted => readmitted), null)
            ),
        ];
    }

    private static IReadOnlyList<MeasureGroup> Reconciliation(IReadOnlyList<PatientFigures> patients) =>
        [
            Proportion(
                "medication-reconciliation",
                MeasurePopulation.Of("initial-population", patients.Where(one => one.Enrolled)),
                MeasurePopulation.Of("denominator", patients.Where(one => one.Worked)),
                MeasurePopulation.Of("numerator", patients.Where(one => one.Reconciled))
            ),
        ];

    private static MeasureGroup Cohort(string code, IEnumerable<PatientFigures> patients) =>
        new(code, [MeasurePopulation.Of("initial-population", patients)]);

    private static MeasureGroup Proportion(
        string code,
        MeasurePopulation initial,
        MeasurePopulation denominator,
        MeasurePopulation numerator
    ) =>
        new(
            code,
            [initial, denominator, numerator],
            denominator.Count == 0
                ? null
                : new MeasureScore(
                    Math.Round((decimal)numerator.Count / denominator.Count, 4, MidpointRounding.AwayFromZero),
                    null
                )
        );

    private static MeasureStratifier Strata<T>(
        string code,
        IEnumerable<IGrouping<string, T>> groups,
        Func<IGrouping<string, T>, (int, MeasureScore?)> figures
    ) =>
        new(
            code,
            [
                .. groups
                    .OrderBy(group => group.Key, StringComparer.Ordinal)
                    .Select(group =>
                    {
                        var (count, score) = figures(group);
                        return (group.Key, count, score);
                    }),
            ]
        );
}

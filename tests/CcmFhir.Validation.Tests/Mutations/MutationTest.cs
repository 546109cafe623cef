namespace CcmFhir.Validation.Tests.Mutations;

/// <summary>One thing is broken in a valid resource, and the validator must find it and name the element: every kind of fault, at every place
/// where it can be put, in every example of our profiles and in the official examples of five types.</summary>
public sealed class MutationTest(ITestOutputHelper output)
{
    private static readonly Lazy<Sample[]> Samples = new(() =>
        [
            .. from file in Directory
                .EnumerateFiles(
                    Path.Combine(NpmPackage.Repository, "profiles", "examples", "valid"),
                    "*.json",
                    SearchOption.AllDirectories
                )
                .Order(StringComparer.Ordinal)
            select new Sample(
                file,
                "http://ccmfhir.org/fhir/StructureDefinition/" + Path.GetFileName(Path.GetDirectoryName(file))
            ),
            .. OfficialExamples
                .OfTypes("CarePlan", "Condition", "Consent", "Task", "Claim")
                .Select(file => new Sample(file)),
            // Times and ranges, which none of those holds.
            .. OfficialExamples
                .OfTypes("PractitionerRole", "ObservationDefinition", "RiskAssessment")
                .Select(file => new Sample(file)),
        ]
    );

    public static TheoryData<string> Kinds => [.. MutationTable.Kinds.Keys];

    [Fact]
    public void The_samples_are_valid_before_anything_is_broken()
    {
        Samples.Value.Length.ShouldBeGreaterThan(100);
        foreach (var sample in Samples.Value)
        {
            Errors(sample, sample.Document.Source.ToArray()).ShouldBeEmpty(sample.Name);
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Every_fault_of_a_kind_is_found_and_its_element_named(string kind)
    {
        var (put, missed) = (0, new List<string>());
        foreach (var sample in Samples.Value)
        {
            foreach (var fault in MutationTable.Kinds[kind](sample))
            {
                put++;
                var errors = Errors(sample, fault.Json);
                if (!errors.Exists(error => IsNamed(error.Expression, fault.Names)))
                {
                    missed.Add(
                        $"{sample.Name} {fault.Names}: {string.Join("; ", errors.Select(error => $"{error.Expression} {error.Rule}"))}"
                    );
                }
            }
        }
        output.WriteLine($"{put} faults put, {missed.Count} missed");
        missed.Count.ShouldBe(0, $"of {put}: {string.Join('\n', missed.Take(12))}");
        put.ShouldBePositive();
    }

    // The element itself, or something in it.
    private static bool IsNamed(string expression, string names) =>
        expression == names
        || expression.StartsWith(names + ".", StringComparison.Ordinal)
        || expression.StartsWith(names + "[", StringComparison.Ordinal);

    private static List<Issue> Errors(Sample sample, byte[] json) =>
        [
            .. ProfileSet
                .Default.Validate(json, sample.Profile is { } profile ? [profile.Url] : null)
                .Issues.Where(issue => issue.Severity <= Severity.Error),
        ];
}

using System.Formats.Tar;
using System.IO.Compression;
using CcmFhir.Validation.Definitions;

namespace CcmFhir.Validation.Tests;

/// <summary>The published package of US Core 6.1.0 (CC0) and the examples in it.</summary>
public sealed class UsCoreExamplesTest
{
    private static readonly string Package = Path.Combine(
        NpmPackage.Repository,
        "tests/CcmFhir.Validation.Tests/Data/us-core-6.1.0.tgz"
    );

    private static readonly Lazy<ProfileSet> Profiles = new(() => ProfileSet.Load([Package]));

    [Fact]
    public void No_example_is_refused()
    {
        var count = 0;
        var errors = new List<string>();
        foreach (var (name, bytes) in Examples())
        {
            count++;
            errors.AddRange(
                Profiles
                    .Value.Validate(bytes)
                    .Issues.Where(issue => issue.Severity <= Severity.Error)
                    .Select(issue => $"{name} {issue.Expression} {issue.Rule}: {issue.Text}")
            );
        }

        errors.ShouldBeEmpty();
        count.ShouldBe(183);
    }

    [Fact]
    public void Every_profile_and_extension_compiles()
    {
        foreach (var structure in PackageLoader.Load(Package).Where(one => one.Kind == DefinitionKind.Structure))
        {
            _ = Profiles.Value.Compiler.Profile(structure.Url, out var problem);

            problem.ShouldBeNull(structure.Url);
        }
    }

    [Fact]
    public void A_system_whose_codes_are_not_here_is_said_once()
    {
        var example = Examples().First(one => one.Name.Contains("Condition-condition-SDOH", StringComparison.Ordinal));

        var report = Profiles.Value.Validate(example.Bytes);

        report.NotChecked.ShouldBeUnique();
        report.NotChecked.ShouldContain(said => said.Contains("http://snomed.info/sct", StringComparison.Ordinal));
    }

    private static IEnumerable<(string Name, byte[] Bytes)> Examples()
    {
        using var tar = new TarReader(new GZipStream(File.OpenRead(Package), CompressionMode.Decompress));
        while (tar.GetNextEntry() is { } entry)
        {
            if (
                entry.Name.StartsWith("package/example/", StringComparison.Ordinal)
                && entry.Name.EndsWith(".json", StringComparison.Ordinal)
                && !entry.Name.EndsWith(".index.json", StringComparison.Ordinal)
                && entry.DataStream is { } data
            )
            {
                var bytes = new byte[entry.Length];
                data.ReadExactly(bytes);
                yield return (entry.Name, bytes);
            }
        }
    }
}

using CcmFhir.Commands;

namespace CcmFhir.Tests.Cases;

/// <summary>What <c>ccmfhir close --input FOLDER --dry-run --format json</c> prints.</summary>
internal static class ClosedFolder
{
    /// <summary>Runs the command; it must end with 0 and complain about nothing.</summary>
    /// <param name="folder">Folder with bundles and resources.</param>
    /// <param name="practice">Practice file.</param>
    /// <param name="month">yyyy-MM.</param>
    /// <param name="asOf">Instant.</param>
    public static async Task<string> JsonAsync(string folder, string practice, string month, string asOf)
    {
        await using var output = new StringWriter();
        await using var error = new StringWriter();
        var exit = await CloseCommand
            .Build(TimeProvider.System)
            .Parse([
                "--input",
                folder,
                "--practice",
                practice,
                "--month",
                month,
                "--dry-run",
                "--as-of",
                asOf,
                "--format",
                "json",
            ])
            .InvokeAsync(new() { Output = output, Error = error }, TestContext.Current.CancellationToken);
        error.ToString().ShouldBeEmpty();
        exit.ShouldBe(0);
        return output.ToString();
    }
}

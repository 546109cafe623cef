using System.Globalization;

namespace CcmFhir.Bench;

/// <summary>What stands behind the name of a measurement on the command line.</summary>
/// <param name="Short">Seconds where the whole takes minutes.</param>
/// <param name="Server">The server's program; null to publish it first.</param>
/// <param name="Connections">Only this number of connections; null for 1, 8 and 32.</param>
/// <param name="Patients">The largest practice; null for 100,000.</param>
/// <param name="Minutes">How long a soak lasts; null for an hour.</param>
/// <param name="Only">The one thing to measure of several (<c>load</c>: bundle or task); null for all.</param>
/// <param name="Rate">Requests a second of a soak; null for its own.</param>
internal sealed record BenchOptions(
    bool Short,
    string? Server,
    int? Connections,
    int? Patients,
    double? Minutes,
    string? Only,
    double? Rate
)
{
    /// <summary>How they are written.</summary>
    public const string Usage =
        "[--short] [--server PATH] [--connections N] [--patients N] [--minutes N] [--only WHAT] [--rate N]";

    /// <summary>Reads them.</summary>
    public static BenchOptions Read(string[] args)
    {
        string? Value(string name) =>
            Array.IndexOf(args, name) is var at and >= 0 && at + 1 < args.Length ? args[at + 1] : null;
        double? Number(string name) =>
            Value(name) is { } text ? double.Parse(text, CultureInfo.InvariantCulture) : null;
        return new BenchOptions(
            args.Contains("--short"),
            Value("--server"),
            (int?)Number("--connections"),
            (int?)Number("--patients"),
            Number("--minutes"),
            Value("--only"),
            Number("--rate")
        );
    }
}

using System.Globalization;

namespace CcmFhir.Bench;

/// <summary>What stands behind the name of a measurement on the command line.</summary>
/// <param name="Short">Seconds where the whole takes minutes.</param>
/// <param name="Server">The server's program; null to publish it first.</param>
/// <param name="Connections">Only this number of connections; null for 1, 8 and 32.</param>
/// <param name="Patients">The largest practice; null for 100,000.</param>
internal sealed record BenchOptions(bool Short, string? Server, int? Connections, int? Patients)
{
    /// <summary>How they are written.</summary>
    public const string Usage = "[--short] [--server PATH] [--connections N] [--patients N]";

    /// <summary>Reads them.</summary>
    public static BenchOptions Read(string[] args)
    {
        string? Value(string name) =>
            Array.IndexOf(args, name) is var at and >= 0 && at + 1 < args.Length ? args[at + 1] : null;
        int? Number(string name) => Value(name) is { } text ? int.Parse(text, CultureInfo.InvariantCulture) : null;
        return new BenchOptions(
            args.Contains("--short"),
            Value("--server"),
            Number("--connections"),
            Number("--patients")
        );
    }
}

using System.CommandLine;
using CcmFhir.Journal;

namespace CcmFhir.Commands;

/// <summary>What commands that work on the configured store have in common.</summary>
internal static class StoreOptions
{
    /// <summary>The store; what the server's setting says when it is not given.</summary>
    public static Option<string> Store() =>
        new("--store")
        {
            Description = "sqlite:PATH or azure:ADDRESS; otherwise what Ccm__Store says",
            DefaultValueFactory = _ => Environment.GetEnvironmentVariable("Ccm__Store") ?? JournalStores.Default,
        };

    /// <summary>The folder of the practice files; what the server's setting says when it is not given.</summary>
    public static Option<string> Practices() =>
        new("--practices")
        {
            Description = "folder of the practice files; otherwise what Ccm__Practices says",
            DefaultValueFactory = _ => Environment.GetEnvironmentVariable("Ccm__Practices") ?? "practices",
        };
}

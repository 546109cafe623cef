namespace CcmFhir.Tests;

/// <summary>Servers that tests start say nothing on the console: what a run prints is what failed.</summary>
internal static class Quiet
{
    /// <summary>The setting, as <c>--Name=value</c>; it stands over what is set for all places that logs go to.</summary>
    public const string Console = "--Logging:Console:LogLevel:Default=None";
}

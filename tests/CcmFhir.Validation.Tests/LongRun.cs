namespace CcmFhir.Validation.Tests;

/// <summary>Tests that have a short form for every build and a long form for once in a while: <c>CCMFHIR_LONG=1 dotnet test ...</c>.</summary>
public static class LongRun
{
    /// <summary>The long form is asked for.</summary>
    public static bool IsAsked { get; } = Environment.GetEnvironmentVariable("CCMFHIR_LONG") is { Length: > 0 };
}

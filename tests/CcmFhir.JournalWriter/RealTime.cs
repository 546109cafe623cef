namespace CcmFhir.JournalWriter;

/// <summary>The machine's own clock.</summary>
internal sealed class RealTime : TimeProvider;

namespace CcmFhir.Tests.Ehr;

/// <summary>A clock that a test moves; timers run in real time.</summary>
internal sealed class ShiftedClock(DateTimeOffset start) : TimeProvider
{
    private readonly long began = System.GetTimestamp();
    private long shift;

    public override DateTimeOffset GetUtcNow() =>
        start + System.GetElapsedTime(began) + TimeSpan.FromTicks(Interlocked.Read(ref shift));

    public void Advance(TimeSpan by) => Interlocked.Add(ref shift, by.Ticks);
}

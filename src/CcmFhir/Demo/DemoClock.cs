namespace CcmFhir.Demo;

/// <summary>The demo plays on the morning after its month has ended, whenever it is run: a clock that starts there and goes on as the real one does.</summary>
/// <param name="start">What it shows at first.</param>
/// <param name="real">The real clock, for how time passes.</param>
internal sealed class DemoClock(DateTimeOffset start, TimeProvider real) : TimeProvider
{
    private readonly long began = real.GetTimestamp();

    /// <inheritdoc/>
    public override long TimestampFrequency => real.TimestampFrequency;

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => start.ToUniversalTime() + real.GetElapsedTime(began);

    /// <inheritdoc/>
    public override long GetTimestamp() => real.GetTimestamp();

    /// <inheritdoc/>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        real.CreateTimer(callback, state, dueTime, period);
}

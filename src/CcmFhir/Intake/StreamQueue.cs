namespace CcmFhir.Intake;

/// <summary>Turns at a stream, for writers that have lost a race once. Streams share a bounded number of locks; a writer holds one at
/// most, so that none waits in a circle.</summary>
internal sealed class StreamQueue
{
    private readonly SemaphoreSlim[] locks = [.. Enumerable.Range(0, 256).Select(_ => new SemaphoreSlim(1, 1))];

    /// <summary>Waits for a turn; disposing ends it.</summary>
    public async ValueTask<IDisposable> EnterAsync(string stream, CancellationToken cancel)
    {
        var turn = locks[(uint)string.GetHashCode(stream, StringComparison.Ordinal) % (uint)locks.Length];
        await turn.WaitAsync(cancel);
        return new Turn(turn);
    }

    private sealed class Turn(SemaphoreSlim held) : IDisposable
    {
        public void Dispose() => held.Release();
    }
}

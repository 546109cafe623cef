using Microsoft.AspNetCore.Http;

namespace CcmFhir.Tests;

/// <summary>Holds calls on their way, from one of them on, until they are let go. What is killed while its calls are held is killed in the middle of its
/// work, on a slow machine and on a fast one, and what it had sent arrives after its end.</summary>
/// <param name="isCounted">Which calls are counted and held; all others pass.</param>
/// <param name="pass">So many of them pass before.</param>
/// <param name="wait">So many are held when <see cref="HeldAsync"/> is done.</param>
internal sealed class HeldCalls(Func<HttpRequest, bool> isCounted, int pass, int wait = 1) : IDisposable
{
    private readonly TaskCompletionSource held = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource letGo = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int calls;

    /// <summary>Asked by whoever passes a call on.</summary>
    public Task PassAsync(HttpRequest request)
    {
        if (!isCounted(request))
        {
            return Task.CompletedTask;
        }
        var call = Interlocked.Increment(ref calls);
        if (call >= pass + wait)
        {
            held.TrySetResult();
        }
        return call > pass ? letGo.Task : Task.CompletedTask;
    }

    /// <summary>Waits until as many calls are held as there should be; fails where they do not come.</summary>
    /// <param name="work">What makes the calls: where that comes to its end, no more of them come.</param>
    public async Task HeldAsync(params Task[] work)
    {
        var cancel = TestContext.Current.CancellationToken;
        await Task.WhenAny([held.Task, Task.Delay(Eventually.Patience, TimeProvider.System, cancel), .. work]);
        cancel.ThrowIfCancellationRequested();
        held.Task.IsCompleted.ShouldBeTrue(
            $"{calls} calls came, and it was to be held in the middle of its work: {pass} were to pass, {wait} to be held"
        );
    }

    /// <summary>Lets go what is held; nothing is held any more.</summary>
    public void LetGo() => letGo.TrySetResult();

    public void Dispose() => LetGo();
}

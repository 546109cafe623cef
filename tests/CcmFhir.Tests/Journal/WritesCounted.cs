using Azure.Core;
using Azure.Core.Pipeline;

namespace CcmFhir.Tests.Journal;

/// <summary>Counts a client's calls, and can call out after one of its writes was carried out.</summary>
internal sealed class WritesCounted : HttpPipelinePolicy
{
    private int reads;
    private int writes;

    /// <summary>Calls that read.</summary>
    public int Reads => reads;

    /// <summary>Calls that write.</summary>
    public int Writes => writes;

    /// <summary>Called with the number of a write, from 1, when its answer is there.</summary>
    public Action<int>? Written { get; set; }

    /// <summary>Starts counting anew.</summary>
    public void Reset() => (reads, writes) = (0, 0);

    public override async ValueTask ProcessAsync(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
    {
        await ProcessNextAsync(message, pipeline);
        Count(message);
    }

    public override void Process(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
    {
        ProcessNext(message, pipeline);
        Count(message);
    }

    private void Count(HttpMessage message)
    {
        if (message.Request.Method == RequestMethod.Get || message.Request.Method == RequestMethod.Head)
        {
            Interlocked.Increment(ref reads);
        }
        else
        {
            var write = Interlocked.Increment(ref writes);
            Written?.Invoke(write);
        }
    }
}

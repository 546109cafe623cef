using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Azure;
using Azure.Identity;
using CcmFhir.Functions;

namespace CcmFhir.Commands;

/// <summary><c>ccmfhir queue</c>: what waits and what was put aside after its last try, and sending that out again. Exit 0 done (<c>list</c>: nothing
/// was put aside), 1 something was put aside or stays so, 2 could not run.</summary>
internal static class QueueCommand
{
    public static Command Build()
    {
        var queues = new Option<string?>("--queues")
        {
            Description = "Address or connection string of the account's queues; otherwise what Ccm__Queues says.",
        };
        var list = new Command("list", "Says what waits, and what was put aside after its last try.") { queues };
        list.SetAction(
            (parsed, cancel) =>
                RunAsync(parsed, parsed.GetValue(queues), (work, output) => ListAsync(work, output, cancel))
        );
        var replay = new Command("replay", "Sends out again what was put aside.") { queues };
        replay.SetAction(
            (parsed, cancel) =>
                RunAsync(
                    parsed,
                    parsed.GetValue(queues),
                    async (work, output) =>
                    {
                        var left = 0;
                        foreach (var queue in WorkQueues.All)
                        {
                            var (sent, foreign) = await work.ReplayAsync(queue, cancel);
                            left += foreign;
                            await output.WriteLineAsync(
                                string.Create(
                                    CultureInfo.InvariantCulture,
                                    $"{queue}: {sent} sent out again{(foreign == 0 ? "" : $", {foreign} no message of ours: left, see queue drop")}"
                                )
                            );
                        }
                        return left > 0 ? 1 : 0;
                    }
                )
        );
        var id = new Argument<string>("id") { Description = "Id of the message, as 'queue list' shows it." };
        var drop = new Command("drop", "Deletes a message that was put aside, for good.") { id, queues };
        drop.SetAction(
            (parsed, cancel) =>
                RunAsync(
                    parsed,
                    parsed.GetValue(queues),
                    async (work, output) =>
                    {
                        var dropped = await work.DropAsync(parsed.GetRequiredValue(id), cancel);
                        await output.WriteLineAsync(
                            dropped ? "deleted" : "no message of that id was put aside (or another call holds it)"
                        );
                        return dropped ? 0 : 1;
                    }
                )
        );
        return new Command("queue", "Work of month end and push that waits or was put aside.") { list, replay, drop };
    }

    private static async Task<int> ListAsync(WorkQueues work, TextWriter output, CancellationToken cancel)
    {
        var aside = 0;
        foreach (var queue in WorkQueues.All)
        {
            var waiting = await work.CountAsync(queue, cancel);
            var count = await work.CountAsync(queue + WorkQueues.Poison, cancel);
            aside += count;
            await output.WriteLineAsync(
                string.Create(CultureInfo.InvariantCulture, $"{queue}: {waiting} waiting, {count} put aside")
            );
            foreach (var message in await work.PutAsideAsync(queue, cancel))
            {
                await output.WriteLineAsync(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"  {message.Id}  {message.At:yyyy-MM-dd'T'HH:mm:ss'Z'}  {What(message.Body)}"
                    )
                );
            }
        }
        return aside > 0 ? 1 : 0;
    }

    // Practice, month, run and shard; the patients' ids are left out.
    private static string What(JsonElement body) =>
        body.ValueKind != JsonValueKind.Object
            ? "is no message of ours"
            : string.Join(
                ' ',
                body.EnumerateObject()
                    .Where(member => member.Name is "practice" or "month" or "run" or "shard")
                    .Select(member => $"{member.Name} {member.Value}")
            );

    private static async Task<int> RunAsync(
        ParseResult parsed,
        string? queues,
        Func<WorkQueues, TextWriter, Task<int>> run
    )
    {
        try
        {
            return await run(
                WorkQueues.Open(queues ?? CommandPlace.Settings()[WorkQueues.Setting]),
                parsed.InvocationConfiguration.Output
            );
        }
        catch (Exception fault)
            when (fault
                    is InvalidDataException
                        or RequestFailedException
                        or AggregateException
                        or AuthenticationFailedException
            )
        {
            await parsed.InvocationConfiguration.Error.WriteLineAsync(
                fault is InvalidDataException ? fault.Message : "The queues cannot be reached now, or refuse us."
            );
            return 2;
        }
    }
}
